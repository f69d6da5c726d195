// Submissions that a person is erased: who asked, why, and what goes. Who it is stands there as a keyed digest alone.
import { LIMITS } from "../../core/limits.ts";
import { type Fields, type Scope, asList, asNumber, asText } from "../format.ts";
import { cut, setUser } from "./tapline-parts.ts";

const DIGEST = /^[0-9a-f]{32}$/;

/** Makes the event; false when it is none. */
export function mapErasure(r: Fields, scope: Scope): boolean {
  const subject = asText(r["subject"]);
  const entries = asNumber(r["entries"]);
  const blobs = asList(r["blobs"]).filter((one) => typeof one === "string" && DIGEST.test(one)) as string[];
  if (subject === undefined || !DIGEST.test(subject) || entries === undefined) return false;
  if (!Number.isSafeInteger(entries) || entries < 0 || blobs.length > LIMITS.erasure_blobs) return false;
  const e = scope.event("subject-erasure", r["ts"]);
  setUser(e, r);
  e["tapline.record.type"] = "erasure";
  e["tapline.erasure.subject"] = subject;
  e["tapline.erasure.entries"] = entries;
  if (blobs.length > 0) e["tapline.erasure.blobs"] = blobs;
  e["tapline.erasure.reason"] = cut(r["reason"], LIMITS.state_text_chars);
  e["event.outcome"] = "success";
  e["message"] = `the key of a person was destroyed, as ${e["user.name"] ?? "somebody"} asked`;
  scope.emit(e);
  return true;
}
