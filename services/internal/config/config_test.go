package config_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/services/internal/config"
)

type settings struct {
	URL      string
	Patience time.Duration
	Count    int
}

func parse(args []string, env map[string]string) (settings, string, error) {
	s := settings{URL: "http://default", Patience: time.Second, Count: 3}
	set := config.New("demo", "1.2.3", "demo shows settings.")
	set.String(&s.URL, "media-url", "where things are")
	set.Duration(&s.Patience, "patience", "how long to wait")
	set.Int(&s.Count, "count", "how many")
	set.Check("media-url", func() error {
		if !strings.HasPrefix(s.URL, "http://") {
			return errors.New("use a URL that starts with http://")
		}
		return nil
	})
	var out bytes.Buffer
	err := set.Parse(args, func(name string) string { return env[name] }, &out)
	return s, out.String(), err
}

func TestParse(t *testing.T) {
	cases := map[string]struct {
		args []string
		env  map[string]string
		want settings
	}{
		"defaults":      {want: settings{URL: "http://default", Patience: time.Second, Count: 3}},
		"environment":   {env: map[string]string{"MEDIA_URL": "http://env", "COUNT": "0"}, want: settings{URL: "http://env", Patience: time.Second}},
		"flags win":     {args: []string{"--patience=5s"}, env: map[string]string{"PATIENCE": "9s"}, want: settings{URL: "http://default", Patience: 5 * time.Second, Count: 3}},
		"empty is none": {env: map[string]string{"PATIENCE": ""}, want: settings{URL: "http://default", Patience: time.Second, Count: 3}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, _, err := parse(c.args, c.env)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMistakesNameTheSettingAndTheFix(t *testing.T) {
	cases := map[string]struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		"flag value":     {args: []string{"--patience=soon"}, code: 78, want: `--patience="soon" cannot be used: use a duration such as 500ms, 30s or 2m`},
		"negative":       {args: []string{"--patience=-1s"}, code: 78, want: `--patience="-1s" cannot be used: use a duration such as 500ms, 30s or 2m`},
		"variable":       {env: map[string]string{"COUNT": "x"}, code: 78, want: `COUNT="x" cannot be used: use a whole number, 0 or more`},
		"check":          {env: map[string]string{"MEDIA_URL": "ftp://me:hunter2@host"}, code: 78, want: `MEDIA_URL="ftp://me:xxxxx@host" cannot be used: use a URL that starts with http://`},
		"unknown flag":   {args: []string{"--nope"}, code: 64, want: "flag provided but not defined: -nope; --help lists the flags"},
		"stray argument": {args: []string{"serve"}, code: 64, want: `unexpected argument "serve"; --help lists the flags`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, _, err := parse(c.args, c.env)
			if err == nil || err.Error() != c.want || config.ExitCode(err) != c.code {
				t.Errorf("error %q, exit code %d, want %q and %d", err, config.ExitCode(err), c.want, c.code)
			}
		})
	}
}

func TestQuestions(t *testing.T) {
	cases := map[string]struct {
		args []string
		want []string
	}{
		"help":         {args: []string{"--help"}, want: []string{"demo shows settings.", "Usage: demo [flags]", "--media-url", "(PATIENCE, default 1s)"}},
		"version":      {args: []string{"--version"}, want: []string{"demo 1.2.3\n"}},
		"print config": {args: []string{"--print-config", "--count=7", "--media-url=http://me:hunter2@host"}, want: []string{"7", "# --count", "http://me:xxxxx@host", "# default"}},
		"check config": {args: []string{"--check-config"}, want: []string{"The configuration is valid.\n"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, out, err := parse(c.args, nil)
			if !errors.Is(err, config.ErrDone) || config.ExitCode(err) != 0 {
				t.Errorf("error %v, want done", err)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("answer has no %q:\n%s", want, out)
				}
			}
			if strings.Contains(out, "hunter2") {
				t.Error("answer shows the password")
			}
		})
	}
}
