package spec

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSpecIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cluster.json")
	want := Spec{Slot: 3, Nodes: 2, Tools: "/t", Images: []string{"/a.tar"}}
	want.Publish(Publication{Namespace: "tv", Service: "web", Port: "80", Listen: "127.0.0.1:1"})
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPublishingReplacesWhatListensThere(t *testing.T) {
	var s Spec
	for _, p := range []Publication{{Service: "a", Listen: "1"}, {Service: "b", Listen: "2"}, {Service: "c", Listen: "1"}, {Service: "c", Listen: "1"}} {
		s.Publish(p)
	}
	want := []Publication{{Service: "b", Listen: "2"}, {Service: "c", Listen: "1"}}
	if diff := cmp.Diff(want, s.Published); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImagesAreRememberedOnce(t *testing.T) {
	var s Spec
	for _, path := range []string{"/a", "/b", "/a"} {
		s.AddImage(path)
	}
	if diff := cmp.Diff([]string{"/a", "/b"}, s.Images); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
