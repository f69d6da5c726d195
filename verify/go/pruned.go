package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// pruned is what the file of that name says: entries before First were removed, and the one at Entry tells of it.
type pruned struct {
	Version int
	First   int64
	Entry   int64
}

// readPruned returns the zero value where nothing was removed.
func readPruned(dir string) (pruned, error) {
	text, err := read(dir, "pruned")
	if errors.Is(err, os.ErrNotExist) {
		return pruned{}, nil
	}
	if err != nil {
		return pruned{}, err
	}
	var found pruned
	if err := json.Unmarshal(text, &found); err != nil {
		return pruned{}, fmt.Errorf("pruned: %w", err)
	}
	if found.Version != 1 || found.First < 0 || found.First%tileWidth != 0 || found.Entry < found.First {
		return pruned{}, errors.New("pruned: not the file of what was removed")
	}
	return found, nil
}

// checkPruned checks that the entry, which checkBundle has found to be in the tree, tells of the removal. An entry with the
// group "upstream" is the word of another collector, of its own ledger.
func checkPruned(dir string, kept pruned, size int64) error {
	failed := fmt.Errorf("entry %d does not say that entries before %d were removed", kept.Entry, kept.First)
	if kept.Entry >= size {
		return failed
	}
	first := kept.Entry - kept.Entry%tileWidth
	bundle, err := read(dir, tilePath("entries", first/tileWidth, min(tileWidth, size-first)))
	if err != nil {
		return err
	}
	for range kept.Entry - first {
		bundle = bundle[2+int(binary.BigEndian.Uint16(bundle)):]
	}
	var entry struct {
		Event   struct{ Action string }
		Tapline struct {
			Vantage  string
			Upstream json.RawMessage
			Prune    struct{ To int64 }
		}
	}
	text := bundle[2 : 2+int(binary.BigEndian.Uint16(bundle))]
	if json.Unmarshal(text, &entry) != nil {
		return failed
	}
	own := entry.Tapline.Vantage == "self" && entry.Tapline.Upstream == nil
	if !own || entry.Event.Action != "ledger-prune" || entry.Tapline.Prune.To != kept.First {
		return failed
	}
	return nil
}
