// The user at the other end of a connection, as the system's tables tell.
import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { heldBy, peerUser } from "../../src/viewer/guard.ts";

test.runIf(process.platform === "linux").each(["127.0.0.1", "::ffff:127.0.0.1"])(
  "a client of this user that connects to %s is told",
  async (host) => {
    const server = createServer((request, response) => response.end(String(peerUser(request))));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const told = await new Promise<string>((done, fail) => {
      get({ host, port, headers: { host: "localhost" }, agent: false }, (answer) => {
        answer.setEncoding("utf8");
        answer.on("data", done);
      }).on("error", fail);
    });
    server.close();
    expect(told).toBe(String(process.getuid!()));
  },
);

test("an owner's link stays one in the owner's hands alone", () => {
  const own = process.getuid?.();
  expect(heldBy("owner", own)).toBe("owner");
  expect(heldBy("reader", own)).toBe("reader");
  expect(heldBy("owner", undefined)).toBe("owner"); // a system that tells nothing
  if (own === undefined) return;
  expect(heldBy("owner", own + 1)).toBe("reader");
  expect(heldBy("owner", "unknown")).toBe("reader");
});
