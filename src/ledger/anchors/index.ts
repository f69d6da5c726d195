// The registry of anchors: where checkpoints can be taken.
import { elasticsearch, opensearch } from "./cluster.ts";
import directory from "./directory.ts";
import email from "./email.ts";
import git from "./git.ts";
import s3 from "./s3.ts";
import timestamp from "./timestamp.ts";
import witness from "./witness.ts";

export const ANCHORS = { directory, elasticsearch, email, git, opensearch, s3, timestamp, witness };
