// Goverify checks a Tapline ledger with the code that checks every Go module download, golang.org/x/mod/sumdb.
// It shares nothing with Tapline: what both accept does not rest on either alone.
//
//	goverify DIR VKEY [CHECKPOINT ...]
//	goverify -proof FILE VKEY
//
// A ledger of which retention has removed the beginning is checked from there on, as its file "pruned" says: the hashes of
// what went are checked all the same, and the entry that tells of it has to be in the tree.
//
// DIR is the ledger's directory or its URL (a bearer token for the entries comes from LEDGER_TOKEN), VKEY a file with its verifier key, and in lines below those that it had before, which may have signed what was saved then. Every entry is checked against the root that the
// key signed, and every further CHECKPOINT, saved earlier, must be a prefix. FILE is the proof of one entry, which is
// printed when it holds. Exit code 0: verified; 1: not; 2: usage.
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8
const tileWidth = 1 << tileHeight

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: goverify DIR VKEY [CHECKPOINT ...]\n       goverify -proof FILE VKEY")
		os.Exit(2)
	}
	if os.Args[1] == "-proof" && len(os.Args) == 4 {
		index, size, entry, err := verifyProof(os.Args[2], os.Args[3])
		if err != nil {
			fmt.Println("FAILED:", err)
			os.Exit(1)
		}
		fmt.Printf("%s\nverified entry %d of %d\n", entry, index, size)
		return
	}
	size, kept, err := verify(os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Println("FAILED:", err)
		os.Exit(1)
	}
	if kept > 0 {
		fmt.Printf("verified %d entries, those from %d on with their content, and %d older checkpoints\n", size, kept, len(os.Args)-3)
		return
	}
	fmt.Printf("verified %d entries and %d older checkpoints\n", size, len(os.Args)-3)
}

// verify returns the size of the tree and the first entry that is kept.
func verify(dir, vkeyFile string, saved []string) (int64, int64, error) {
	verifiers, err := readVerifiers(vkeyFile)
	if err != nil {
		return 0, 0, err
	}
	tree, err := openCheckpoint(dir, "checkpoint", verifiers[:1])
	if err != nil {
		return 0, 0, err
	}
	reader := tlog.TileHashReader(tree, &tiles{dir: dir})
	kept, err := readPruned(dir)
	if err != nil {
		return 0, 0, err
	}
	for first := int64(0); first < tree.N; first += tileWidth {
		width := min(tileWidth, tree.N-first)
		if first < kept.First {
			if _, err := leaves(first, width, reader); err != nil {
				return 0, 0, err
			}
			continue
		}
		if err := checkBundle(dir, first, width, reader); err != nil {
			return 0, 0, err
		}
	}
	if kept.First > 0 {
		if err := checkPruned(dir, kept, tree.N); err != nil {
			return 0, 0, err
		}
	}
	for _, path := range saved {
		if err := checkPrefix(path, verifiers, tree, reader); err != nil {
			return 0, 0, err
		}
	}
	return tree.N, kept.First, nil
}

// openCheckpoint reads a signed note: origin, size and root, a line each.
func openCheckpoint(dir, path string, verifiers []note.Verifier) (tlog.Tree, error) {
	text, err := read(dir, path)
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := parseCheckpoint(text, verifiers)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	return tree, nil
}

func parseCheckpoint(text []byte, verifiers []note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifiers[0].Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifiers[0].Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return tlog.Tree{}, errors.New("bad size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return tlog.Tree{}, errors.New("bad root")
	}
	return tlog.Tree{N: size, Hash: root}, nil
}

// checkBundle checks that the entries [first, first+width) are those in the tree, and that nothing follows them.
func checkBundle(dir string, first, width int64, reader tlog.HashReader) error {
	path := tilePath("entries", first/tileWidth, width)
	bundle, err := read(dir, path)
	if err != nil {
		return err
	}
	hashes, err := leaves(first, width, reader)
	if err != nil {
		return err
	}
	for i := range hashes {
		if len(bundle) < 2 {
			return fmt.Errorf("%s ends before entry %d", path, first+int64(i))
		}
		length := int(binary.BigEndian.Uint16(bundle))
		if len(bundle) < 2+length {
			return fmt.Errorf("%s ends within entry %d", path, first+int64(i))
		}
		if tlog.RecordHash(bundle[2:2+length]) != hashes[i] {
			return fmt.Errorf("entry %d is not the one in the tree", first+int64(i))
		}
		bundle = bundle[2+length:]
	}
	if len(bundle) > 0 {
		return fmt.Errorf("%s: %d bytes follow the last entry", path, len(bundle))
	}
	return nil
}

// leaves returns the hashes of the entries [first, first+width), each authenticated against the root.
func leaves(first, width int64, reader tlog.HashReader) ([]tlog.Hash, error) {
	indexes := make([]int64, width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	hashes, err := reader.ReadHashes(indexes)
	if err != nil {
		return nil, fmt.Errorf("hashes of entries from %d: %w", first, err)
	}
	return hashes, nil
}

// checkPrefix checks that a checkpoint saved earlier is a prefix of the tree.
func checkPrefix(path string, verifiers []note.Verifier, tree tlog.Tree, reader tlog.HashReader) error {
	old, err := openCheckpoint(filepath.Dir(path), filepath.Base(path), verifiers)
	if err != nil {
		return err
	}
	if old.N > tree.N {
		return fmt.Errorf("TRUNCATED: %s covers %d entries, the ledger %d", path, old.N, tree.N)
	}
	if old.N == 0 {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, old.N, reader)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("REWRITTEN: %s is not a prefix: %w", path, err)
	}
	return nil
}

// tiles reads hash tiles from the ledger's files; tlog checks each against the root.
type tiles struct{ dir string }

func (t *tiles) Height() int { return tileHeight }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		bytesWanted := tile.W * tlog.HashSize
		path := tilePath(strconv.Itoa(tile.L), tile.N, int64(tile.W))
		found, err := read(t.dir, path)
		if errors.Is(err, os.ErrNotExist) && tile.W < tileWidth {
			path = tilePath(strconv.Itoa(tile.L), tile.N, tileWidth)
			found, err = read(t.dir, path)
			if err == nil && len(found) > bytesWanted {
				found = found[:bytesWanted]
			}
		}
		if err != nil {
			return nil, err
		}
		if len(found) != bytesWanted {
			return nil, fmt.Errorf("%s has %d bytes, not %d", path, len(found), bytesWanted)
		}
		data[i] = bytes.Clone(found)
	}
	return data, nil
}

// tilePath is the path of a tile of C2SP tlog-tiles: number 1234067 of level 0 is tile/0/x001/x234/067.
func tilePath(level string, n, width int64) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if width < tileWidth {
		name = fmt.Sprintf("%s.p/%d", name, width)
	}
	return "tile/" + level + "/" + name
}
