package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const bodyMax = 64 << 20

var web = http.Client{Timeout: 30 * time.Second}

// read returns a file of a directory, or what a server has below a URL.
func read(place, path string) ([]byte, error) {
	if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
		return os.ReadFile(filepath.Join(place, path))
	}
	request, err := http.NewRequest(http.MethodGet, strings.TrimSuffix(place, "/")+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	if token := os.Getenv("LEDGER_TOKEN"); token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := web.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil, fmt.Errorf("%s: %w", request.URL, os.ErrNotExist)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: the server answered %s", request.URL, answer.Status)
	}
	return io.ReadAll(io.LimitReader(answer.Body, bodyMax))
}
