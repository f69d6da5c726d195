// `tapline ledger`: proofs, verification and publication of a ledger. Each subcommand has a file of its own.
import { commandOf } from "../usage.ts";

export const ledger = commandOf(
  {
    verify: async () => (await import("./verify.ts")).verify,
    prove: async () => (await import("./prove.ts")).prove,
    show: async () => (await import("./show.ts")).show,
    reconcile: async () => (await import("./reconcile.ts")).reconcile,
    signer: async () => (await import("./signer.ts")).signer,
    keygen: async () => (await import("./keygen.ts")).keygen,
    serve: async () => (await import("./serve.ts")).serve,
  },
  `usage: tapline ledger verify [DIR|URL|PROOF] [-c FILE] [--vkey FILE]… [--checkpoint FILE|DIR|URL]… [--anchor NAME]…
                             [--witness FILE]… [--quorum K] [--witnessed-since TIME]
                             [--token-file FILE|--token-env NAME] [--json]
       tapline ledger prove EVENT_ID|INDEX [DIR] [-c FILE] [--out FILE]
       tapline ledger show EVENT_ID|INDEX [DIR] [-c FILE]
       tapline ledger show --from INDEX [--to INDEX] [DIR] [-c FILE]
       tapline ledger reconcile --sink NAME [--from INDEX] [--to INDEX] [-c FILE] [--json]
       tapline ledger signer --dir DIR --socket PATH --origin NAME [--pkcs11-module PATH --pkcs11-label NAME --pin-file FILE]
       tapline ledger keygen --rotate [DIR] [-c FILE] [--overlap-days N]
       tapline ledger serve [DIR] [-c FILE] [--listen HOST:PORT] [--host NAME]… [--token-file FILE|--token-env NAME]

  verify       every entry, tile, root, signature and blob, and from which entry on it is wrong; exit code 1 when it is
    DIR             directory of the ledger (default: that of the configuration)
    URL             where it is published (C2SP tlog-tiles); needs --vkey. Without a token hashes alone are checked
    PROOF           a file that \`prove\` wrote; needs --vkey
    --vkey FILE     the key to check signatures with (default: the one beside the ledger); further ones are keys that it had
                    before, which may have signed checkpoints that were kept then
    --checkpoint    a checkpoint kept elsewhere, or a directory of them (*.checkpoint): has to be a prefix of the ledger
    --anchor NAME   what an anchor of the configuration holds (elasticsearch, opensearch, s3): the same, asked for there
    --witness FILE  key of a witness (C2SP, Ed25519 or ML-DSA-44): a checkpoint has to bear its cosignature
    --quorum K      how many of the witnesses (default: all)
    --witnessed-since TIME
                    a witness has to have signed then or later: an older signature may be from before a cut
    Blobs are checked in full where the installation's digest key is (keys/digest.key beside the ledger), else their
    presence and length; the output says which.
  prove        a C2SP tlog-proof of one event: the entry, its index, its path to the root and the signed checkpoint, which
               \`verify\` or anybody's program checks without the ledger
    --out FILE      writes it there (default: standard output)
  show         entries as sinks get them, one JSON document a line, with index and leaf hash
  reconcile    the ledger against the documents of an elasticsearch or opensearch sink, both ways: missing, altered, extra;
               exit code 1 when there are any. Documents of this host (\`host\` in the configuration) are the ledger's
    --from, --to    a part (default: all that the sink has acknowledged)
  signer       holds the key of a ledger, best as another user, and signs checkpoints that the collector sends to its socket
               (\`ledger: {signer: PATH}\`), as long as each continues the last one that it signed
    --dir           its own directory: key and the last checkpoint; made when missing
    --socket        where it listens; the group of its directory may use it
    --origin        name of the ledger: tapline/ and the host, see \`tapline status\`
    --pkcs11-module, --pkcs11-label, --pin-file
                    an Ed25519 key in a PKCS#11 token instead of a file; needs pkcs11-tool (OpenSC)
  keygen       a new key for a ledger (or the DIR of its signer), which has to be stopped; the key before it signs too
    --overlap-days  for N days (default: 30)
  serve        checkpoint and hash tiles over HTTP (C2SP tlog-tiles), read-only, until it is stopped
    --listen        address and port (default: 127.0.0.1:4320); it speaks no TLS
    --host NAME     a name beside localhost by which it may be called
    --token-file, --token-env
                    a token, or sha256: and its digest: who shows it gets the entries too`,
);
