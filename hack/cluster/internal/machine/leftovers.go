package machine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Mark is the environment variable that every process of a cluster carries.
const Mark = "STREAMPLANE_SUPERVISED"

// Marked lists the processes that carry a cluster's mark: also those that had no
// time to join its control group.
func Marked(cluster string) []int {
	entries, _ := os.ReadDir("/proc")
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		content, err := os.ReadFile(filepath.Join("/proc", entry.Name(), "environ"))
		if err != nil {
			continue
		}
		if slices.Contains(strings.Split(string(content), "\x00"), Mark+"="+cluster) {
			found = append(found, pid)
		}
	}
	return found
}

// KillMarked ends the processes that carry a cluster's mark.
func KillMarked(cluster string) {
	for _, pid := range Marked(cluster) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// MountsBelow lists the mount points in and below the folders, the innermost first.
func MountsBelow(folders ...string) ([]string, error) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read the mount table: %w", err)
	}
	return mountsBelow(content, folders), nil
}

func mountsBelow(table []byte, folders []string) []string {
	var found []string
	for lines := bufio.NewScanner(bytes.NewReader(table)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 {
			continue
		}
		point := unescape(fields[4])
		if slices.ContainsFunc(folders, func(f string) bool { return point == f || strings.HasPrefix(point, f+"/") }) {
			found = append(found, point)
		}
	}
	slices.Reverse(found)
	return found
}

// Unmount takes away every mount in and below the folders.
func Unmount(folders ...string) error {
	mounts, err := MountsBelow(folders...)
	if err != nil {
		return err
	}
	var errs []error
	for _, point := range mounts {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", point, err))
		}
	}
	return errors.Join(errs...)
}

// unescape undoes what the mount table does to unusual characters.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
