// Package config reads a service's settings from flags, with environment variables as their defaults.
//
// The variable of a flag is its name in capitals: --streaming-url is STREAMING_URL. Every service also answers
// --help, --version, --print-config (where each value came from, passwords hidden) and --check-config.
package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// ErrDone says that the call was answered (--help and the like) and the program should end well.
var ErrDone = errors.New("answered")

// Set is the list of settings of one program.
type Set struct {
	program, summary, version string
	options                   []*option
	checks                    []check
}

type option struct {
	name, usage, fallback string
	set                   func(string) error
	text                  func() string
	source                string
}

type check struct {
	name string
	run  func() error
}

// New starts the settings of a program; the summary is the first paragraph of its help.
func New(program, version, summary string) *Set {
	return &Set{program: program, version: version, summary: summary}
}

// String adds a text setting; the target's present value is the default.
func (s *Set) String(target *string, name, usage string) {
	s.add(&option{name: name, usage: usage, text: func() string { return *target }, set: func(raw string) error {
		*target = raw
		return nil
	}})
}

// Duration adds a setting such as 30s or 2m; the target's present value is the default.
func (s *Set) Duration(target *time.Duration, name, usage string) {
	s.add(&option{name: name, usage: usage, text: func() string { return target.String() }, set: func(raw string) error {
		value, err := time.ParseDuration(raw)
		if err != nil || value < 0 {
			return errors.New("use a duration such as 500ms, 30s or 2m")
		}
		*target = value
		return nil
	}})
}

// Int adds a whole number of zero or more; the target's present value is the default.
func (s *Set) Int(target *int, name, usage string) {
	s.add(&option{name: name, usage: usage, text: func() string { return strconv.Itoa(*target) }, set: func(raw string) error {
		value, err := strconv.Atoi(raw)
		if err != nil || value < 0 {
			return errors.New("use a whole number, 0 or more")
		}
		*target = value
		return nil
	}})
}

// Check adds a rule that runs after parsing; its error should say what to use instead.
func (s *Set) Check(name string, rule func() error) {
	s.checks = append(s.checks, check{name: name, run: rule})
}

func (s *Set) add(o *option) {
	o.fallback, o.source = o.text(), "default"
	s.options = append(s.options, o)
}

// EnvName is the environment variable of a flag.
func EnvName(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Parse applies the environment and then the flags. It returns ErrDone when the arguments asked a question,
// whose answer it has written to out.
func (s *Set) Parse(args []string, getenv func(string) string, out io.Writer) error {
	flags := flag.NewFlagSet(s.program, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	given := map[string]string{}
	for _, o := range s.options {
		flags.Func(o.name, o.usage, func(raw string) error {
			given[o.name] = raw
			return nil
		})
	}
	version := flags.Bool("version", false, "")
	printConfig := flags.Bool("print-config", false, "")
	checkConfig := flags.Bool("check-config", false, "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return s.answer(s.help(out))
	case err != nil:
		return &UsageError{Problem: fmt.Sprintf("%s; --help lists the flags", err)}
	case flags.NArg() > 0:
		return &UsageError{Problem: fmt.Sprintf("unexpected argument %q; --help lists the flags", flags.Arg(0))}
	case *version:
		_, err := fmt.Fprintf(out, "%s %s\n", s.program, s.version)
		return s.answer(err)
	}
	if err := s.apply(given, getenv); err != nil {
		return err
	}
	switch {
	case *printConfig:
		return s.answer(s.print(out))
	case *checkConfig:
		_, err := fmt.Fprintln(out, "The configuration is valid.")
		return s.answer(err)
	}
	return nil
}

func (s *Set) apply(given map[string]string, getenv func(string) string) error {
	for _, o := range s.options {
		if raw := getenv(EnvName(o.name)); raw != "" {
			if err := o.set(raw); err != nil {
				return &ValueError{Setting: EnvName(o.name), Value: raw, Fix: err}
			}
			o.source = EnvName(o.name)
		}
		if raw, ok := given[o.name]; ok {
			if err := o.set(raw); err != nil {
				return &ValueError{Setting: "--" + o.name, Value: raw, Fix: err}
			}
			o.source = "--" + o.name
		}
	}
	return s.check()
}

func (s *Set) check() error {
	for _, rule := range s.checks {
		if err := rule.run(); err != nil {
			o := s.find(rule.name)
			setting := o.source
			if setting == "default" {
				setting = fmt.Sprintf("--%s (or %s)", o.name, EnvName(o.name))
			}
			return &ValueError{Setting: setting, Value: o.text(), Fix: err}
		}
	}
	return nil
}

func (s *Set) find(name string) *option {
	for _, o := range s.options {
		if o.name == name {
			return o
		}
	}
	panic("config: check of the unknown setting " + name)
}

func (s *Set) answer(err error) error {
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return ErrDone
}

func (s *Set) help(out io.Writer) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s\n\nUsage: %s [flags]\n\n", s.summary, s.program)
	for _, o := range s.options {
		fmt.Fprintf(&text, "  --%s\t%s\t(%s%s)\n", o.name, o.usage, EnvName(o.name), defaultText(o))
	}
	text.WriteString("  --print-config\tprint every setting and where it came from\t\n" +
		"  --check-config\tcheck the settings and end\t\n" +
		"  --version\tprint the version\t\n" +
		"\nA flag wins over its environment variable, shown in brackets.\n" +
		"Exit codes: 0 ended well, 1 failed, 64 unknown flag, 78 wrong setting.\n")
	return align(out, text.Bytes())
}

// align turns tabs into columns.
func align(out io.Writer, text []byte) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := table.Write(text); err != nil {
		return err
	}
	return table.Flush()
}

func defaultText(o *option) string {
	if o.fallback == "" {
		return ""
	}
	return ", default " + redact(o.fallback)
}

func (s *Set) print(out io.Writer) error {
	var text bytes.Buffer
	for _, o := range s.options {
		fmt.Fprintf(&text, "%s\t%s\t# %s\n", o.name, redact(o.text()), o.source)
	}
	return align(out, text.Bytes())
}

// redact hides the password of a URL.
func redact(value string) string {
	parsed, err := url.Parse(value)
	if err != nil || parsed.User == nil {
		return value
	}
	return parsed.Redacted()
}
