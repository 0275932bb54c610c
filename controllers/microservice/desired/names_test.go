package desired

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestName(t *testing.T) {
	long := strings.Repeat("a", 63)
	cases := map[string]struct {
		parts []string
		want  string
	}{
		"short names are joined":          {[]string{"acme", "gateway", "blue"}, "acme-gateway-blue"},
		"63 characters are kept":          {[]string{long[:58], "blue"}, long[:58] + "-blue"},
		"64 characters are hashed":        {[]string{long[:59], "blue"}, long[:54] + "-b9f9c991"},
		"one part is kept":                {[]string{long}, long},
		"no two dashes before the hash":   {[]string{long[:53], "-", "streaming"}, long[:53] + "-cb29ef4a"},
		"the hash covers what is cut off": {[]string{long[:59], "blux"}, long[:54] + "-be2a04e1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Name(tc.parts...); got != tc.want {
				t.Errorf("Name(%q) = %q, want %q", tc.parts, got, tc.want)
			}
		})
	}
}

func FuzzName(f *testing.F) {
	f.Add("acme", "gateway")
	f.Add(strings.Repeat("a", 50), strings.Repeat("b", 40))
	f.Add(strings.Repeat("a", 53), "b"+strings.Repeat("-", 38)+"c")
	f.Add("a", strings.Repeat("z", 61))
	f.Add("a", strings.Repeat("z", 62))
	f.Fuzz(func(t *testing.T, platform, service string) {
		if len(validation.IsDNS1123Label(platform)) > 0 || len(validation.IsDNS1123Label(service)) > 0 {
			t.Skip("the API server lets no such name through")
		}
		name := Name(platform, service)
		for _, made := range []string{name, HeadlessName(name), Name(name, SlotBlue)} {
			if problems := validation.IsDNS1123Label(made); len(problems) > 0 {
				t.Errorf("%q: %v", made, problems)
			}
		}
		if HeadlessName(name) == Name(name, SlotBlue) {
			t.Errorf("%q: two objects of one name", name)
		}
		if again := Name(platform, service); again != name {
			t.Errorf("%q, then %q", name, again)
		}
	})
}
