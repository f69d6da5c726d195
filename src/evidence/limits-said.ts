// What the evidence of a report does not cover, in the words of every pack.
export const LIMITS_SAID: readonly string[] = [
  "What no source saw is not in it. An agent without transcript, proxy, hook or telemetry leaves nothing, and a transcript is written by the agent's own harness, on a machine that its user controls, before Tapline reads it.",
  "A change, removal, reordering or truncation of events already covered by a checkpoint that somebody else holds is detected; the window is the time since that checkpoint. Until a checkpoint has left the machine, whoever holds the signing key and the files can rewrite everything.",
  "The times of events are those that their writers wrote. That an entry existed at some time is shown by a cosignature, a stamp, or a checkpoint that the reader kept with a date of their own.",
  "An event that is evidence for a control is about the control's subject. That the control is met, no event shows: that is for the organisation to state and for the auditor to judge.",
  "Three controls are evidenced directly (A.6.2.6, A.6.2.8, A.9.4) and some are supported beside a document or a process. The others are not collected here, and counts are never a share of all controls.",
  "Places in NIST AI RMF and the EU AI Act are about the same subject as a control. That says nothing of whether either is met; most articles named bind providers or deployers of high-risk systems only.",
  "The sample is drawn from events that a checkpoint covered when the report was made. What is in secrets, personal data and long texts may be redacted, sealed or outside the entry, as the capture level of its source says.",
];
