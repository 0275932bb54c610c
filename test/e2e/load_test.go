//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load sends requests until it is stopped, at most rate a second, and remembers
// every failure. Half of its clients keep connections alive, half do not.
type load struct {
	sent   atomic.Int64
	failed atomic.Int64
	stop   func()

	mu       sync.Mutex
	failures []string
}

const maxFailuresKept = 20

// startLoad asks for the urls in turn, from that many clients at once.
func startLoad(t *testing.T, clients, rate int, urls ...string) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{}
	tokens := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		defer close(tokens)
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			select {
			case <-ctx.Done():
				return
			case tokens <- struct{}{}:
			}
		}
	})
	for i := range clients {
		client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		running.Go(func() {
			for range tokens {
				n := l.sent.Add(1)
				// Not ctx: a request that was sent is seen through to its end.
				if err := fetch(context.Background(), client, urls[int(n)%len(urls)]); err != nil {
					l.fail(err)
				}
			}
		})
	}
	l.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(l.stop)
	return l
}

func (l *load) fail(err error) {
	l.failed.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) < maxFailuresKept {
		l.failures = append(l.failures, err.Error())
	}
}

// mustBeClean ends the load and fails when a request failed or none was sent.
func (l *load) mustBeClean(t *testing.T) {
	t.Helper()
	l.stop()
	t.Logf("%d requests, %d failed", l.sent.Load(), l.failed.Load())
	if l.sent.Load() == 0 || l.failed.Load() > 0 {
		t.Errorf("%d of %d requests failed: %v", l.failed.Load(), l.sent.Load(), l.failures)
	}
}

// waitSent waits until that many more requests were sent.
func (l *load) waitSent(t *testing.T, more int64) {
	t.Helper()
	goal := l.sent.Load() + more
	eventually(t, fmt.Sprintf("%d more requests", more), func() string {
		if sent := l.sent.Load(); sent < goal {
			return fmt.Sprintf("%d to go", goal-sent)
		}
		return ""
	})
}

// fetch reads a whole answer, which must be a success.
func fetch(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return nil
}

// read fetches a URL that must answer 200 and returns the body.
func read(t *testing.T, url string) string {
	t.Helper()
	body, err := tryRead(t, url)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// tryRead is read for answers that may fail.
func tryRead(t *testing.T, url string) (string, error) {
	t.Helper()
	client := &http.Client{Timeout: 30 * time.Second}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s\n%.500s", url, response.Status, body)
	}
	return string(body), err
}
