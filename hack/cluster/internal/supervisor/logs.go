package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// logLimit is how large a log may grow; one older part of this size is kept.
const logLimit = 16 << 20

// CapLogs keeps the log files of a folder small until ctx is done.
func CapLogs(ctx context.Context, folder string) {
	for ctx.Err() == nil {
		_ = capLogs(folder, logLimit)
		pause(ctx, 10*time.Second)
	}
}

// capLogs empties large logs in place: their processes go on writing to the
// same file.
func capLogs(folder string, limit int64) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.log"))
	if err != nil {
		return fmt.Errorf("list logs: %w", err)
	}
	var errs []error
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Size() > limit {
			errs = append(errs, setAside(file))
		}
	}
	return errors.Join(errs...)
}

func setAside(file string) error {
	from, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = from.Close() }()
	to, err := os.Create(file + ".1")
	if err != nil {
		return fmt.Errorf("set log aside: %w", err)
	}
	if _, err := io.Copy(to, from); err != nil {
		return errors.Join(fmt.Errorf("set log aside: %w", err), to.Close())
	}
	if err := to.Close(); err != nil {
		return fmt.Errorf("set log aside: %w", err)
	}
	if err := os.Truncate(file, 0); err != nil {
		return fmt.Errorf("empty log: %w", err)
	}
	return nil
}
