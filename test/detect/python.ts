// The Python in which pySigma, the reference implementation, is installed; says aloud when there is none.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const PACKAGES = ["pysigma==2.0.1", "pysigma-backend-sqlite==2.1.1"];

/** Path of the interpreter of a virtual environment that is made on first use, or undefined. */
export function python(): string | undefined {
  const home = join(homedir(), ".cache/tapline-test/pysigma");
  const interpreter = join(home, "bin/python");
  const ready = (): boolean => {
    if (!existsSync(interpreter)) return false;
    try {
      execFileSync(interpreter, ["-c", "import sigma.collection, sigma.backends.sqlite"], {
        stdio: "ignore",
      });
      return true;
    } catch {
      return false;
    }
  };
  if (ready()) return interpreter;
  try {
    execFileSync("python3", ["-m", "venv", home], { stdio: "ignore", timeout: 60_000 });
    execFileSync(interpreter, ["-m", "pip", "install", "--quiet", ...PACKAGES], {
      stdio: "ignore",
      timeout: 180_000,
    });
  } catch {
    // Said below.
  }
  if (ready()) return interpreter;
  console.warn(
    `SKIPPED: tests against pySigma, since python3 with ${PACKAGES.join(" and ")} could not be set up`,
  );
  return undefined;
}
