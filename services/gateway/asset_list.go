package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	assetsDeadline = 2 * time.Second
	assetsFresh    = time.Second // within this time, callers share one answer of streaming
	maxAssetsBytes = 4 << 20
)

// assetList asks streaming what it has, and remembers the last good answer.
type assetList struct {
	url     string
	client  *http.Client
	reports edgeReports
	flight  singleflight.Group

	mu   sync.Mutex
	last json.RawMessage
	read time.Time
}

// listing is an answer of any age.
type listing struct {
	assets json.RawMessage
	age    time.Duration
	stale  bool
}

func newAssetList(streaming *url.URL, transport http.RoundTripper, reports edgeReports) *assetList {
	return &assetList{url: streaming.JoinPath("/assets").String(), client: &http.Client{Transport: transport}, reports: reports}
}

// get asks at most once at a time, whoever and however many ask.
func (l *assetList) get(ctx context.Context) (listing, error) {
	if known := l.remembered(); known.assets != nil && known.age < assetsFresh {
		return known, nil
	}
	_, err, _ := l.flight.Do("assets", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), assetsDeadline) // others wait for it too
		defer cancel()
		err := l.refresh(ctx)
		l.reports.state.Report("streaming", err)
		return nil, err
	})
	known := l.remembered()
	if err == nil {
		return known, nil
	}
	if known.assets == nil {
		return listing{}, err
	}
	l.reports.log.WarnContext(ctx, "Serving the last list of assets", "age", known.age, "error", err)
	known.stale = true
	return known, nil
}

func (l *assetList) remembered() listing {
	l.mu.Lock()
	defer l.mu.Unlock()
	return listing{assets: l.last, age: l.reports.now().Sub(l.read)}
}

func (l *assetList) refresh(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask streaming for assets: %w", err)
	}
	response, err := l.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask streaming for assets: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("streaming answered %s to the question for assets", response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAssetsBytes))
	if err != nil {
		return fmt.Errorf("read streaming's assets: %w", err)
	}
	var list []json.RawMessage
	if json.Unmarshal(body, &list) != nil {
		return errors.New("streaming's list of assets is not a JSON list")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.read = body, l.reports.now()
	return nil
}
