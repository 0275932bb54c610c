package registry

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

func free(layout.Plan) bool { return false }

func TestClaim(t *testing.T) {
	first := 0
	cases := map[string]struct {
		name   string
		wanted *int
		inUse  func(layout.Plan) bool
		want   int
		fails  bool
	}{
		"a new cluster gets the first free range":      {name: "new", inUse: free, want: 1},
		"a known cluster keeps its range":              {name: "demo", inUse: free, want: 0},
		"data that holds addresses needs its own":      {name: "new", wanted: new(7), inUse: free, want: 7},
		"its range has been given to somebody else":    {name: "new", wanted: &first, inUse: free, fails: true},
		"a range that the machine uses is left out":    {name: "new", inUse: func(p layout.Plan) bool { return p.Slot < 4 }, want: 4},
		"every range is in use":                        {name: "new", inUse: func(layout.Plan) bool { return true }, fails: true},
		"a range of our own that is in use is kept":    {name: "demo", wanted: &first, inUse: func(layout.Plan) bool { return true }, want: 0},
		"names do not matter, only registered entries": {name: "other", inUse: free, want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := Registry{Root: t.TempDir()}
			if _, err := r.Claim("demo", "/a", nil, free); err != nil {
				t.Fatal(err)
			}
			got, err := r.Claim(tc.name, "/b", tc.wanted, tc.inUse)
			if (err != nil) != tc.fails {
				t.Fatalf("Claim: %v", err)
			}
			if tc.fails {
				return
			}
			want := Entry{Name: tc.name, Slot: tc.want, State: "/b"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entry (-want +got):\n%s", diff)
			}
			if found, ok, err := r.Find(tc.name); err != nil || !ok || found != want {
				t.Errorf("Find = %v, %t, %v", found, ok, err)
			}
		})
	}
}

func TestReleaseForgets(t *testing.T) {
	r := Registry{Root: t.TempDir()}
	if _, err := r.Claim("demo", "/a", nil, free); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Release("demo"); err != nil {
			t.Fatal(err)
		}
	}
	if _, found, err := r.Find("demo"); found || err != nil {
		t.Errorf("found %t, %v", found, err)
	}
}

func TestLockExcludes(t *testing.T) {
	r := Registry{Root: t.TempDir()}
	unlock, err := r.Lock("demo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.TryLock("demo"); !errors.Is(err, ErrLocked) {
		t.Errorf("TryLock of a locked name: %v", err)
	}
	other, err := r.TryLock("other")
	if err != nil {
		t.Fatalf("TryLock of another name: %v", err)
	}
	other()
	unlock()
	again, err := r.TryLock("demo")
	if err != nil {
		t.Fatalf("TryLock after unlock: %v", err)
	}
	again()
}

func TestCleanRemovesTheFolderWithTheLastCluster(t *testing.T) {
	r := Registry{Root: t.TempDir()}
	for _, name := range []string{"a", "b"} {
		if _, err := r.Claim(name, "/"+name, nil, free); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b"} {
		if _, err := os.Stat(r.Root); err != nil {
			t.Fatalf("folder before %s is gone: %v", name, err)
		}
		unlock, err := r.Lock(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(r.Release(name), r.Clean(name)); err != nil {
			t.Fatal(err)
		}
		unlock()
	}
	if _, err := os.Stat(r.Root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder: %v", err)
	}
}
