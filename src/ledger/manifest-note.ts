// What is signed of a manifest of files: its digest, under a first line that is no origin of a log, since names of keys have no
// spaces. So nothing that is signed here can be taken for a checkpoint, nor a checkpoint for it.
const FIRST_LINE = "tapline evidence manifest";

/** `digest` is SHA-256 in hex. */
export const manifestBody = (digest: string): string => `${FIRST_LINE}\n${digest}\n`;
