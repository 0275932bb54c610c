package supervisor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	firstBackoff = 500 * time.Millisecond
	longBackoff  = 10 * time.Second
	// A process that ran this long earns a quick restart.
	stableAfter = 30 * time.Second
	probePeriod = 200 * time.Millisecond
	probeLimit  = 2 * time.Second
)

// Supervisor runs units.
type Supervisor struct {
	// Logs is the folder with one log file per unit.
	Logs string
	// Command makes the process of a unit.
	Command func(Unit) *exec.Cmd
	// Now tells the time.
	Now func() time.Time

	mu      sync.Mutex
	order   []string
	entries map[string]*entry
}

type entry struct {
	unit  Unit
	ready chan struct{}
	once  sync.Once

	mu     sync.Mutex
	status Status
}

// Ensure starts the units that are not known yet. They run until ctx is done.
func (s *Supervisor) Ensure(ctx context.Context, units []Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = map[string]*entry{}
	}
	var fresh []*entry
	for _, u := range units {
		if _, found := s.entries[u.Name]; found {
			continue
		}
		e := &entry{
			unit: u, ready: make(chan struct{}),
			status: Status{Name: u.Name, State: Waiting, Since: s.Now()},
		}
		s.entries[u.Name] = e
		s.order = append(s.order, u.Name)
		fresh = append(fresh, e)
	}
	for _, e := range fresh {
		go s.run(ctx, e)
	}
}

// Statuses describes every unit.
func (s *Supervisor) Statuses() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	var statuses []Status
	for _, name := range s.order {
		statuses = append(statuses, s.entries[name].snapshot())
	}
	return statuses
}

// run keeps one unit going.
func (s *Supervisor) run(ctx context.Context, e *entry) {
	for _, name := range e.unit.After {
		if !s.await(ctx, name) {
			return
		}
	}
	backoff := firstBackoff
	for ctx.Err() == nil {
		started := s.Now()
		err := s.attempt(ctx, e)
		if err == nil && e.unit.Argv == nil {
			e.set(s.Now(), Done, nil)
			e.markReady()
			return
		}
		if s.Now().Sub(started) > stableAfter {
			backoff = firstBackoff
		}
		pause(ctx, backoff)
		backoff = min(2*backoff, longBackoff)
	}
}

// await waits until another unit is ready.
func (s *Supervisor) await(ctx context.Context, name string) bool {
	s.mu.Lock()
	other, found := s.entries[name]
	s.mu.Unlock()
	if !found {
		return true
	}
	select {
	case <-other.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt prepares a unit and runs its process to its end.
func (s *Supervisor) attempt(ctx context.Context, e *entry) error {
	if e.unit.Prepare != nil {
		e.set(s.Now(), Preparing, nil)
		if err := e.unit.Prepare(ctx); err != nil {
			e.set(s.Now(), Preparing, err)
			return err
		}
	}
	if e.unit.Argv == nil {
		return nil
	}
	err := s.process(ctx, e)
	if err == nil {
		err = fmt.Errorf("%s ended", e.unit.Name)
	}
	e.ended(s.Now(), err)
	return err
}

func (s *Supervisor) process(ctx context.Context, e *entry) error {
	log, err := os.OpenFile(filepath.Join(s.Logs, e.unit.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = log.Close() }()
	cmd := s.Command(e.unit)
	// A file, not a pipe: shims inherit it and outlive containerd.
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", e.unit.Name, err)
	}
	e.started(s.Now(), cmd.Process.Pid)
	probing, stop := context.WithCancel(ctx)
	defer stop()
	go s.probe(probing, e)
	return cmd.Wait()
}

// probe asks a started process until it is ready.
func (s *Supervisor) probe(ctx context.Context, e *entry) {
	for ctx.Err() == nil {
		if e.unit.Ready == nil {
			break
		}
		once, cancel := context.WithTimeout(ctx, probeLimit)
		err := e.unit.Ready(once)
		cancel()
		if err == nil {
			break
		}
		e.note(err)
		pause(ctx, probePeriod)
	}
	if ctx.Err() == nil {
		e.set(s.Now(), Running, nil)
		e.markReady()
	}
}

func (e *entry) set(now time.Time, state State, problem error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.status.State != state {
		e.status.State, e.status.Since = state, now
	}
	if problem != nil {
		e.status.Problem = problem.Error()
	} else if state == Running || state == Done {
		e.status.Problem = ""
	}
}

func (e *entry) note(problem error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status.Problem = problem.Error()
}

func (e *entry) started(now time.Time, pid int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status.State, e.status.Since, e.status.PID = Starting, now, pid
}

func (e *entry) ended(now time.Time, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status.State, e.status.Since, e.status.PID = Restarting, now, 0
	e.status.Restarts++
	e.status.Problem = err.Error()
}

func (e *entry) snapshot() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

func (e *entry) markReady() { e.once.Do(func() { close(e.ready) }) }

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
