package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"
)

// glance is how often something is looked at that cannot be waited for.
const glance = 20 * time.Millisecond

// event is one request as the API server logged it when it had answered.
type event struct {
	User struct{ Username string }
	Verb string
	// ObjectRef is what the request was about.
	ObjectRef struct{ Resource, Namespace, Name, APIGroup, APIVersion, Subresource string }
	// RequestObject is logged in the namespace of the model only.
	RequestObject  json.RawMessage
	ResponseStatus struct{ Code int }
	// RequestReceivedTimestamp and StageTimestamp are when it came and when it was answered.
	RequestReceivedTimestamp, StageTimestamp time.Time
}

func (e event) ok() bool { return e.ResponseStatus.Code < 300 }

// applies says whether a user wrote an object itself, not its status.
func (e event) applies(user string) bool {
	return e.User.Username == user && e.Verb == "patch" && e.ObjectRef.Subresource == "" && e.ok()
}

// auditLog follows the log of the API server.
type auditLog struct {
	mutex  sync.Mutex
	events []event
	err    error
}

// follow reads a growing file until ctx is done.
func follow(ctx context.Context, file *os.File) *auditLog {
	l := &auditLog{}
	go func() {
		defer file.Close()
		if err := l.read(ctx, file); err != nil {
			l.mutex.Lock()
			defer l.mutex.Unlock()
			l.err = err
		}
	}()
	return l
}

func (l *auditLog) read(ctx context.Context, file io.Reader) error {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	var rest []byte
	buffer := make([]byte, 1<<20)
	for {
		n, err := file.Read(buffer)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read audit log: %w", err)
		}
		rest = append(rest, buffer[:n]...)
		end := bytes.LastIndexByte(rest, '\n') + 1
		for line := range bytes.Lines(rest[:end]) {
			if err := l.add(line); err != nil {
				return err
			}
		}
		rest = append([]byte(nil), rest[end:]...)
		if n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

func (l *auditLog) add(line []byte) error {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		return fmt.Errorf("read audit log: %w", err)
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.events = append(l.events, e)
	return nil
}

// mark is a position after everything that was logged.
func (l *auditLog) mark() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.events)
}

// since lists what was logged after a mark.
func (l *auditLog) since(mark int) ([]event, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.events[mark:], l.err
}

// await shows each event after a mark until one is the last that was wanted.
func (l *auditLog) await(ctx context.Context, mark int, last func(event) bool) error {
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		events, err := l.since(mark)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(events, last) {
			return nil
		}
		mark += len(events)
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for requests: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// silence is how long the operator sends nothing before it counts as done.
const silence = 3 * time.Second

// quiet waits until the operator has sent nothing for a while.
func (l *auditLog) quiet(ctx context.Context) error {
	for {
		mark := l.mark()
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the operator is quiet: %w", ctx.Err())
		case <-time.After(silence):
		}
		events, err := l.since(mark)
		if err != nil {
			return err
		}
		if count(events).total() == 0 {
			return nil
		}
	}
}
