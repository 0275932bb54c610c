//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// screen is a page in a headless Chromium.
type screen struct {
	ctx    context.Context //nolint:containedctx // chromedp keeps the browser in it
	errors thrown
}

// thrown are the uncaught exceptions of a page.
type thrown struct {
	mu    sync.Mutex
	texts []string
}

// playback is what the page says about its video.
type playback struct {
	State string  `json:"state"`
	Time  float64 `json:"time"`
	Error string  `json:"error"`
	Width int     `json:"width"`
}

// open shows a URL in a browser of its own.
func open(t *testing.T, url string) *screen {
	t.Helper()
	s, err := startBrowser(t)
	for tries := 1; err != nil && tries < browserStarts; tries++ {
		t.Logf("Chromium did not start: %v", err)
		s, err = startBrowser(t)
	}
	if err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	if err := chromedp.Do(s.ctx, chromedp.Navigate(url)); err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	return s
}

// browserStarts is how often a browser is started that crashes before it has
// opened anything: that says nothing about our page.
const browserStarts = 3

func startBrowser(t *testing.T) (*screen, error) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	allocator, stopBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closePage := chromedp.NewContext(allocator)
	t.Cleanup(func() { closePage(); stopBrowser() })
	s := &screen{ctx: ctx}
	err := chromedp.Listen(ctx, func(event any) {
		if exception, ok := event.(*runtime.EventExceptionThrown); ok {
			s.errors.mu.Lock()
			defer s.errors.mu.Unlock()
			s.errors.texts = append(s.errors.texts, exception.ExceptionDetails.Text)
		}
	})
	return s, err
}

func (s *screen) playback(t *testing.T) playback {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	p, err := chromedp.Run(ctx, chromedp.Evaluate[playback](`(() => {
		const v = document.querySelector("video");
		return {state: document.body.dataset.state, time: v ? v.currentTime : -1,
			error: v && v.error ? v.error.message : "", width: v ? v.videoWidth : 0};
	})()`))
	if err != nil {
		t.Fatalf("ask the page: %v", err)
	}
	return p
}

// waitPlayed waits until the video has moved past a time, in seconds.
func (s *screen) waitPlayed(t *testing.T, seconds float64) {
	t.Helper()
	eventually(t, fmt.Sprintf("the video plays past %.0f s", seconds), func() string {
		if p := s.playback(t); p.Time < seconds || p.Width == 0 {
			return fmt.Sprintf("%+v", p)
		}
		return ""
	})
}

func (s *screen) screenshot(t *testing.T, name string) {
	t.Helper()
	png, err := chromedp.Run(s.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	keep(t, name, png)
}

// mustBeHealthy fails when the page threw an error or the video has one.
func (s *screen) mustBeHealthy(t *testing.T) {
	t.Helper()
	if p := s.playback(t); p.Error != "" || p.State == "error" {
		t.Errorf("the player is in trouble: %+v", p)
	}
	s.errors.mu.Lock()
	defer s.errors.mu.Unlock()
	if len(s.errors.texts) > 0 {
		t.Errorf("the page threw: %s", strings.Join(s.errors.texts, "\n"))
	}
}

// playsInBrowser is the main job: a person opens the page and the video plays.
func (tv theater) playsInBrowser(t *testing.T) {
	page := open(t, tv.url)
	page.waitPlayed(t, 5)
	page.screenshot(t, "page.png")
	page.mustBeHealthy(t)
}
