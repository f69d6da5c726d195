package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// verifyProof checks a C2SP tlog-proof whose extra data are the entry, and returns its index, the size of the tree and
// the entry.
func verifyProof(path, vkeyFile string) (int64, int64, []byte, error) {
	verifiers, err := readVerifiers(vkeyFile)
	if err != nil {
		return 0, 0, nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, nil, err
	}
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, 0, nil, errors.New("not a tlog-proof with its entry")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	number, isIndex := strings.CutPrefix(lines[2], "index ")
	if !isExtra || !isIndex {
		return 0, 0, nil, errors.New("the lines extra and index are missing")
	}
	entry, err := base64.StdEncoding.DecodeString(extra)
	if err != nil {
		return 0, 0, nil, err
	}
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, 0, nil, err
	}
	var hashes tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, 0, nil, err
		}
		hashes = append(hashes, hash)
	}
	tree, err := parseCheckpoint([]byte(checkpoint), verifiers)
	if err != nil {
		return 0, 0, nil, err
	}
	if err := tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return 0, 0, nil, err
	}
	return index, tree.N, entry, nil
}

// readVerifiers reads the keys in a file, one a line: the log's, then those that it had before.
func readVerifiers(path string) ([]note.Verifier, error) {
	vkey, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var verifiers []note.Verifier
	for _, line := range strings.Split(strings.TrimSpace(string(vkey)), "\n") {
		verifier, err := note.NewVerifier(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(verifiers) > 0 && verifier.Name() != verifiers[0].Name() {
			return nil, fmt.Errorf("%s: the keys are not all of one name", path)
		}
		verifiers = append(verifiers, verifier)
	}
	return verifiers, nil
}
