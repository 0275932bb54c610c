// Package machine knows what a cluster needs from the machine it runs on and
// what it changes there.
package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

const elsewhere = "use a cluster that you have instead: make demo CLUSTER=current"

// program is something that must be on the PATH, and the Debian package that has it.
type program struct{ name, debian string }

func programs() []program {
	return []program{
		{name: "runc", debian: "runc"},
		{name: "nft", debian: "nftables"},
		{name: "mount", debian: "mount"},
	}
}

// Check says why no cluster can run here.
func Check() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("the local cluster needs Linux, this is %s; %s", runtime.GOOS, elsewhere)
	}
	if os.Geteuid() != 0 {
		return errors.New("the local cluster needs root (network namespaces, control groups, mounts): run it with sudo, or " + elsewhere)
	}
	return nil
}

// CheckFolder says why the folder cannot hold the files of containers.
func CheckFolder(folder string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return fmt.Errorf("look at the file system of %s: %w", folder, err)
	}
	if stat.Type == unix.OVERLAYFS_SUPER_MAGIC {
		return fmt.Errorf("%s lies on an overlay file system, which cannot hold another one: "+
			"set STREAMPLANE_CACHE to a folder on a disk or a volume", folder)
	}
	return nil
}

// CheckHosts says why no pod could start: containerd copies this file into every one.
func CheckHosts(file string) error {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing, of which every pod gets a copy: make it, for example with: echo '127.0.0.1 localhost' > %[1]s", file)
	} else if err != nil {
		return fmt.Errorf("look for the file that every pod gets a copy of: %w", err)
	}
	return nil
}

// Install gets the missing programs from Debian.
func Install(ctx context.Context, out io.Writer) error {
	var packages []string
	for _, p := range programs() {
		if _, err := exec.LookPath(p.name); err != nil {
			packages = append(packages, p.debian)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	list := strings.Join(packages, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("these programs are missing and there is no apt-get to install them: %s", list)
	}
	_, _ = fmt.Fprintf(out, "installing %s with apt-get\n", list)
	install := append([]string{"install", "--yes", "--no-install-recommends"}, packages...)
	if err := apt(ctx, install); err == nil {
		return nil
	}
	// The package lists of a fresh machine are empty or old.
	if err := apt(ctx, []string{"update"}); err != nil {
		return err
	}
	return apt(ctx, install)
}

func apt(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
