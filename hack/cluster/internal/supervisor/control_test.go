package supervisor

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestControl(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	socket := filepath.Join(t.TempDir(), "s")
	control := Control{Socket: socket}
	if _, err := control.Report(ctx); err == nil {
		t.Error("a supervisor that does not run reports")
	}
	want := Report{PID: 7, Fingerprint: "x", Units: []Status{{Name: "etcd", State: Running, PID: 8}}}
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, socket, Handlers{
			Report: func() Report { return want },
			Reload: func() error { return errors.New("no such port") },
		})
	}()
	eventually(t, "it listens", func() bool { _, err := control.Report(ctx); return err == nil })
	got, err := control.Report(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if err := control.Reload(ctx); err == nil || !strings.Contains(err.Error(), "no such port") {
		t.Errorf("Reload = %v, want the supervisor's own words", err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}
