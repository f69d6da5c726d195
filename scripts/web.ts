// Builds the viewer's pages: src/viewer/web → dist/viewer, which the collector serves, or another directory when one is named.
// Run by `npm ci` and before publishing (`prepare`). What is loaded first and the charts are separate files; names carry a
// digest of the content.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FROM = "src/viewer/web";
const TO = process.argv[2] ?? "dist/viewer";
const STYLES = ["base", "parts", "pages", "print"];
/** What the pages are made with, whose licences go along. */
const OTHERS = ["preact", "echarts", "zrender", "tslib"];

async function load(): Promise<typeof import("rolldown") | undefined> {
  try {
    return await import("rolldown");
  } catch (cause) {
    if ((cause as { code?: string }).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw cause;
  }
}

const named = (name: string, text: string): string =>
  name.replace(".", `-${createHash("sha256").update(text).digest("base64url").slice(0, 8)}.`);

function licences(): string {
  return OTHERS.map((name) => {
    const home = join("node_modules", name);
    const files = readdirSync(home, { recursive: true, encoding: "utf8" }).filter(
      (file) =>
        /^(licenses\/)?(licen[cs]e|notice)[^/]*$/i.test(file) && !statSync(join(home, file)).isDirectory(),
    );
    const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };
    return `${name} ${version}\n\n${files.map((file) => readFileSync(join(home, file), "utf8").trim()).join("\n\n")}\n`;
  }).join(`\n${"-".repeat(80)}\n\n`);
}

async function build({ rolldown }: typeof import("rolldown")): Promise<void> {
  const bundle = await rolldown({
    input: { app: join(FROM, "main.tsx") },
    platform: "browser",
    tsconfig: join(FROM, "tsconfig.json"),
    transform: { define: { "process.env.NODE_ENV": '"production"' } },
  });
  const { output } = await bundle.generate({
    format: "es",
    minify: true,
    entryFileNames: "app-[hash].js",
    chunkFileNames: "[name]-[hash].js",
  });
  rmSync(TO, { recursive: true, force: true });
  mkdirSync(TO, { recursive: true });
  for (const file of output) {
    writeFileSync(join(TO, file.fileName), file.type === "chunk" ? file.code : file.source);
  }
  const css = STYLES.map((name) => readFileSync(join(FROM, "style", `${name}.css`), "utf8")).join("\n");
  const style = named("app.css", css);
  writeFileSync(join(TO, style), css);
  const page = readFileSync(join(FROM, "index.html"), "utf8");
  writeFileSync(join(TO, "index.html"), page.replace("app.css", style).replace("app.js", output[0].fileName));
  copyFileSync(join(FROM, "icon.svg"), join(TO, "icon.svg"));
  writeFileSync(join(TO, "licences.txt"), licences());
}

const tool = await load();
if (tool === undefined) {
  console.warn("viewer: not built, since rolldown is not installed; `npm ci` without --omit=dev builds it");
} else await build(tool);
