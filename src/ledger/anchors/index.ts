// The registry of anchors: where checkpoints can be taken.
import directory from "./directory.ts";
import email from "./email.ts";
import git from "./git.ts";
import timestamp from "./timestamp.ts";
import witness from "./witness.ts";

export const ANCHORS = { directory, email, git, timestamp, witness };
