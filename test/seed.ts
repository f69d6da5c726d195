// Property tests draw from one seed, so that a run can be repeated; with TAPLINE_FULL=1 from a new one each time,
// which a failure prints.
import fc from "fast-check";

if (process.env["TAPLINE_FULL"] !== "1") fc.configureGlobal({ seed: 20261128 });
