// The anchor `s3` against a store that keeps versions and takes no notice of locks, or does: what it says of a checkpoint is true of
// one that was there before, too.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { anchorOf, grow, take } from "./anchored.ts";
import { newDir } from "./helpers.ts";

interface Stored {
  readonly key: string;
  readonly body: string;
  readonly mode: string;
  readonly until: string;
}

/** The options of the anchor for a store that keeps objects, their locks only while `store.locks`. */
async function fakeStore(): Promise<{ store: { locks: boolean; objects: Stored[] }; options: object }> {
  const store = { locks: true, objects: [] as Stored[] };
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (part: Buffer) => (body += part.toString()));
    req.on("end", () => {
      const { pathname, searchParams } = new URL(req.url!, "http://store");
      const one = store.objects[Number(searchParams.get("versionId")) - 1];
      const header = (name: string): string => String(req.headers[`x-amz-object-lock-${name}`]);
      if (req.method === "PUT") {
        const key = decodeURIComponent(pathname.replace("/bucket/", ""));
        store.objects.push({ key, body, mode: header("mode"), until: header("retain-until-date") });
        res.setHeader("x-amz-version-id", String(store.objects.length));
      } else if (req.method === "HEAD" && store.locks) {
        res.setHeader("x-amz-object-lock-mode", one!.mode);
        res.setHeader("x-amz-object-lock-retain-until-date", one!.until);
      }
      const listed = store.objects.map(
        ({ key }, i) =>
          `<Version><Key>${encodeURIComponent(key)}</Key><VersionId>${i + 1}</VersionId></Version>`,
      );
      const list = `<ListVersionsResult><IsTruncated>false</IsTruncated>${listed.join("")}</ListVersionsResult>`;
      res.end(req.method !== "GET" ? "" : searchParams.has("versions") ? list : one!.body);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => void server.close());
  process.env["TAPLINE_TEST_S3_LOCK"] = "secret";
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = {
    endpoint,
    bucket: "bucket",
    access_key_id: "id",
    secret_key_env: "TAPLINE_TEST_S3_LOCK",
    retention_days: 400,
  };
  return { store, options };
}

test("a checkpoint that is there is locked only where the store says so", async () => {
  const dir = newDir();
  const { store, options } = await fakeStore();
  const anchor = anchorOf("s3", options, dir);
  store.locks = false;
  await grow(dir, 300);
  // Refused when it is put there, and when it is found again.
  for (let i = 0; i < 2; i++)
    await expect(take(anchor, dir)).rejects.toMatchObject({
      code: "ANCHOR_FAILED",
      message: expect.stringMatching(/without the lock that was asked for: none until never$/) as string,
    });
  expect(store.objects).toHaveLength(1);

  store.locks = true;
  for (let i = 0; i < 2; i++)
    expect(await take(anchor, dir)).toBe("in the bucket bucket, locked for 400 days (compliance)");
  expect(store.objects).toHaveLength(1);
  store.objects[0] = { ...store.objects[0]!, until: new Date(Date.now() - 60_000).toISOString() };
  await expect(take(anchor, dir)).rejects.toMatchObject({ code: "ANCHOR_FAILED" }); // it has ended
  await grow(dir, 600);
  expect(await take(anchor, dir)).toMatch(/^in the bucket bucket, locked/);
  expect(store.objects).toHaveLength(2);
});
