// NIST's schema of OSCAL 1.2.3, and what is wrong with a document by it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";

const PATH = join(import.meta.dirname, "../oracle/oscal/oscal_complete_schema.json");
// The schema has parts of its own choosing beside a `$ref`, which `strict` would refuse.
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
const schema = JSON.parse(readFileSync(PATH, "utf8")) as {
  oneOf: { required: string[]; properties: object }[];
};

const validators = new Map<string, ValidateFunction>();
/** One validator for a kind of document, so that a complaint is not that it is no other kind. */
function validatorOf(kind: string): ValidateFunction {
  const known = validators.get(kind);
  if (known !== undefined) return known;
  const own = schema.oneOf.find(({ required }) => required.includes(kind));
  if (own === undefined) throw new Error(`OSCAL knows no ${kind}`);
  const made = ajv.compile({ ...schema, oneOf: [own], $id: `${kind}.json` });
  validators.set(kind, made);
  return made;
}

export function complaints(text: string): string[] {
  const document = JSON.parse(text) as object;
  const [kind] = Object.keys(document);
  const validate = validatorOf(kind!);
  if (validate(document)) return [];
  return validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}
