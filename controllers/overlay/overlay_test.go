package overlay

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

type shelf struct {
	Label string `json:"label,omitempty"`
	Books []book `json:"books,omitempty" patchStrategy:"merge" patchMergeKey:"title"`
}

type book struct {
	Title string `json:"title"`
	Pages int    `json:"pages,omitempty"`
}

func TestLay(t *testing.T) {
	base := shelf{Label: "a", Books: []book{{"one", 1}, {"two", 2}}}
	got, err := Lay([]byte(`{"books": [{"title": "three", "pages": 3}, {"title": "one", "pages": 10}]}`), base)
	if err != nil {
		t.Fatal(err)
	}
	KeepOrder(got.Books, base.Books, func(b book) string { return b.Title })
	if diff := cmp.Diff(shelf{Label: "a", Books: []book{{"one", 10}, {"two", 2}, {"three", 3}}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLayRefusesAnotherShape(t *testing.T) {
	for _, patch := range []string{"[]", `{"books": 1}`, `{"label": {"a": 1}}`} {
		if got, err := Lay([]byte(patch), shelf{Label: "a", Books: []book{{"one", 1}}}); err == nil {
			t.Errorf("%s: %v", patch, got)
		}
	}
}
