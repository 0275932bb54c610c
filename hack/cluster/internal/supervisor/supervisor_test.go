package supervisor

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const patience = 30 * time.Second

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// start runs units whose processes end with the test.
func start(t *testing.T, units ...Unit) *Supervisor {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &Supervisor{
		Logs: t.TempDir(), Now: time.Now,
		Command: func(u Unit) *exec.Cmd { return exec.CommandContext(ctx, u.Argv[0], u.Argv[1:]...) },
	}
	s.Ensure(ctx, units)
	t.Cleanup(func() {
		cancel()
		eventually(t, "processes end", func() bool {
			for _, status := range s.Statuses() {
				if status.PID != 0 {
					return false
				}
			}
			return true
		})
	})
	return s
}

func (s *Supervisor) status(name string) Status {
	for _, status := range s.Statuses() {
		if status.Name == name {
			return status
		}
	}
	return Status{}
}

func TestProcessesAreStartedAgain(t *testing.T) {
	s := start(t, Unit{Name: "web", Argv: []string{"sleep", "1000"}})
	eventually(t, "it runs", func() bool { return s.status("web").State == Running })
	first := s.status("web").PID
	process, err := os.FindProcess(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process runs", func() bool {
		now := s.status("web")
		return now.State == Running && now.PID != first && now.Restarts == 1 && now.Problem == ""
	})
}

func TestUnitsWaitForThoseBefore(t *testing.T) {
	var open atomic.Bool
	gate := func(context.Context) error {
		if open.Load() {
			return nil
		}
		return errors.New("not yet")
	}
	s := start(t,
		Unit{Name: "last", Argv: []string{"sleep", "1000"}, After: []string{"step"}},
		Unit{Name: "step", Prepare: gate, After: []string{"first"}},
		Unit{Name: "first", Argv: []string{"sleep", "1000"}, Ready: gate},
	)
	eventually(t, "the first process runs unready", func() bool {
		now := s.status("first")
		return now.State == Starting && now.Problem == "not yet"
	})
	for _, name := range []string{"step", "last"} {
		if got := s.status(name).State; got != Waiting {
			t.Errorf("%s is %s before the first is ready", name, got)
		}
	}
	open.Store(true)
	eventually(t, "all is well", func() bool {
		return s.status("first").State == Running && s.status("step").State == Done && s.status("last").State == Running
	})
}

func TestPreparationIsTriedAgain(t *testing.T) {
	var tries atomic.Int32
	s := start(t, Unit{Name: "step", Prepare: func(context.Context) error {
		if tries.Add(1) < 3 {
			return errors.New("busy")
		}
		return nil
	}})
	eventually(t, "the step is done", func() bool { return s.status("step").State == Done })
	if got := s.status("step"); got.Problem != "" || !got.Healthy() {
		t.Errorf("status %+v", got)
	}
}

func TestOutputLandsInTheLog(t *testing.T) {
	s := start(t, Unit{Name: "talk", Argv: []string{"sh", "-c", "echo out; echo err >&2; sleep 1000"}})
	eventually(t, "both lines are there", func() bool {
		content, err := os.ReadFile(filepath.Join(s.Logs, "talk.log"))
		return err == nil && strings.Contains(string(content), "out\n") && strings.Contains(string(content), "err\n")
	})
}

func TestEnsureAddsOnlyWhatIsNew(t *testing.T) {
	s := start(t, Unit{Name: "a", Argv: []string{"sleep", "1000"}})
	eventually(t, "it runs", func() bool { return s.status("a").State == Running })
	before := s.status("a").PID
	s.Ensure(t.Context(), []Unit{{Name: "a", Argv: []string{"sleep", "1000"}}, {Name: "b", Prepare: func(context.Context) error { return nil }}})
	eventually(t, "the new one is done", func() bool { return s.status("b").State == Done })
	if got := s.status("a").PID; got != before || len(s.Statuses()) != 2 {
		t.Errorf("a runs as %d, want %d; %d units", got, before, len(s.Statuses()))
	}
}

func TestLogsStaySmall(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "web.log")
	writer, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	say := func(text string) {
		if _, err := writer.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	say("0123456789")
	if err := capLogs(folder, 10); err != nil {
		t.Fatal(err)
	}
	say("more")
	if err := capLogs(folder, 10); err != nil {
		t.Fatal(err)
	}
	say("after")
	for name, want := range map[string]string{"web.log": "after", "web.log.1": "0123456789more"} {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(got) != want {
			t.Errorf("%s = %q, %v, want %q", name, got, err, want)
		}
	}
}
