package machine

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMountsBelow(t *testing.T) {
	table := []byte(`20 1 8:1 / / rw - ext4 /dev/a rw
21 20 8:1 /x /run/streamplane/demo rw - ext4 /dev/a rw
22 21 8:1 /x /run/streamplane/demo/data rw - ext4 /dev/a rw
23 20 8:1 /x /run/streamplane/demo2 rw - ext4 /dev/a rw
24 20 0:5 / /home/a\040b/.cache/clusters/demo/nodes rw - overlay none rw
25 20 0:6 / /run/netns/sp-demo-lan rw - nsfs none rw
`)
	want := []string{"/home/a b/.cache/clusters/demo/nodes", "/run/streamplane/demo/data", "/run/streamplane/demo"}
	got := mountsBelow(table, []string{"/run/streamplane/demo", "/home/a b/.cache/clusters/demo"})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheckHosts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hosts")
	if err := CheckHosts(file); err == nil || !strings.Contains(err.Error(), "echo '127.0.0.1 localhost' > "+file) {
		t.Errorf("a missing file gives %v", err)
	}
	if err := os.WriteFile(file, []byte("127.0.0.1 localhost\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckHosts(file); err != nil {
		t.Error(err)
	}
}

func TestSettingsComeBack(t *testing.T) {
	root := t.TempDir()
	panics := filepath.Join(root, "kernel", "panic")
	set := func(value string) {
		if err := os.MkdirAll(filepath.Dir(panics), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(panics, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := Settings{File: filepath.Join(t.TempDir(), "saved"), Root: root}
	set("0\n")
	if err := s.Save(); err != nil {
		t.Fatal(err)
	}
	set("10\n")
	if err := s.Save(); err != nil { // a second cluster must not save what the first one changed
		t.Fatal(err)
	}
	if err := s.Restore(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(panics); err != nil || string(got) != "0\n" {
		t.Errorf("restored %q, %v", got, err)
	}
	if err := s.Restore(); err != nil {
		t.Errorf("nothing to restore: %v", err)
	}
}

func TestMarkedProcessesEnd(t *testing.T) {
	mark := "test-" + filepath.Base(t.TempDir())
	run := func(env string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "sleep", "1000")
		cmd.Env = []string{env}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	ours, theirs := run(Mark+"="+mark), run(Mark+"="+mark+"2")
	for deadline := time.Now().Add(30 * time.Second); !slices.Contains(Marked(mark), ours.Process.Pid); {
		if time.Now().After(deadline) {
			t.Fatal("the process is not found")
		}
		<-time.After(10 * time.Millisecond)
	}
	if found := Marked(mark); len(found) != 1 {
		t.Errorf("Marked = %v, want %d only", found, ours.Process.Pid)
	}
	KillMarked(mark)
	if err := ours.Wait(); err == nil {
		t.Error("the process ended by itself")
	}
	if err := theirs.Process.Kill(); err != nil {
		t.Errorf("the other process is gone: %v", err)
	}
	_ = theirs.Wait()
}
