// Pythons in which programs that are not ours are installed, to compare with; say aloud when there is none.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

interface Environment {
  readonly name: string;
  readonly packages: readonly string[];
  /** Modules that have to be there. */
  readonly imports: string;
}

/** pySigma, the reference implementation of Sigma. */
const SIGMA: Environment = {
  name: "pysigma",
  packages: ["pysigma==2.0.1", "pysigma-backend-sqlite==2.1.1"],
  imports: "sigma.collection, sigma.backends.sqlite",
};
/** The schema of OCSF as JSON Schema, and a validator. */
export const OCSF: Environment = {
  name: "ocsf",
  packages: ["ocsf-json-schema==1.2.0", "jsonschema==4.26.0"],
  imports: "ocsf_json_schema, jsonschema",
};

/** Another reader and writer of Avro. */
export const FASTAVRO: Environment = {
  name: "fastavro",
  packages: ["fastavro==1.13.1"],
  imports: "fastavro",
};
/** Another finder of secrets. */
export const DETECT_SECRETS: Environment = {
  name: "detect-secrets",
  packages: ["detect-secrets==1.5.0"],
  imports: "detect_secrets",
};
/** Another reader and writer of XLSX. */
export const OPENPYXL: Environment = {
  name: "openpyxl",
  packages: ["openpyxl==3.1.5"],
  imports: "openpyxl",
};
/** Other readers of Parquet. */
export const PARQUET: Environment = {
  name: "parquet",
  packages: ["duckdb==2.0.1", "pandas==3.1.1", "pyarrow==26.0.1"],
  imports: "duckdb, pandas, pyarrow",
};

/** Another reader of what Prometheus reads. */
export const PROMETHEUS: Environment = {
  name: "prometheus",
  packages: ["prometheus-client==0.26.0"],
  imports: "prometheus_client.parser",
};

/** NIST's OSCAL as IBM and others read it. */
export const TRESTLE: Environment = {
  name: "trestle",
  packages: ["compliance-trestle==5.2.0"],
  imports: "trestle.cli",
};

/** Path of the interpreter of a virtual environment that is made on first use, or undefined. */
export function python({ name, packages, imports }: Environment = SIGMA): string | undefined {
  const home = join(homedir(), ".cache/tapline-test", name);
  const interpreter = join(home, "bin/python");
  const ready = (): boolean => {
    if (!existsSync(interpreter)) return false;
    try {
      execFileSync(interpreter, ["-c", `import ${imports}`], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  };
  if (ready()) return interpreter;
  try {
    execFileSync("python3", ["-m", "venv", home], { stdio: "ignore", timeout: 60_000 });
    execFileSync(interpreter, ["-m", "pip", "install", "--quiet", ...packages], {
      stdio: "ignore",
      timeout: 180_000,
    });
  } catch {
    // Said below.
  }
  if (ready()) return interpreter;
  console.warn(
    `SKIPPED: tests against ${name}, since python3 with ${packages.join(" and ")} could not be set up`,
  );
  return undefined;
}
