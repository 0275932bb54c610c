package config

import (
	"errors"
	"fmt"
)

// Exit codes of every service, after sysexits.h.
const (
	ExitOK       = 0
	ExitFailed   = 1
	ExitUsage    = 64
	ExitBadValue = 78
)

// UsageError is a call that the program does not understand.
type UsageError struct{ Problem string }

func (e *UsageError) Error() string { return e.Problem }

// ValueError is a setting with a value that cannot work.
type ValueError struct {
	Setting, Value string
	Fix            error
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("%s=%q cannot be used: %s", e.Setting, redact(e.Value), e.Fix)
}

func (e *ValueError) Unwrap() error { return e.Fix }

// ExitCode is the code that a program should end with after err.
func ExitCode(err error) int {
	var usage *UsageError
	var value *ValueError
	switch {
	case err == nil, errors.Is(err, ErrDone):
		return ExitOK
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &value):
		return ExitBadValue
	}
	return ExitFailed
}
