package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/streamplane/streamplane/hack/cluster/internal/cgroup"
	"github.com/streamplane/streamplane/hack/cluster/internal/component"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/machine"
	"github.com/streamplane/streamplane/hack/cluster/internal/network"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

// Supervise runs the processes of the cluster until it is killed.
func (l Local) Supervise(ctx context.Context) error {
	started := l.Now()
	groups, err := cgroup.Detect()
	if err != nil {
		return err
	}
	group := l.Paths.ComponentCgroup(supervisorName)
	if err := errors.Join(groups.Create(group), groups.Join(group)); err != nil {
		return err
	}
	r, err := l.describe()
	if err != nil {
		return err
	}
	fingerprint, err := r.fingerprint(r.spec.Tools)
	if err != nil {
		return err
	}
	if err := arrangeMounts(r.Paths, filepath.Dir(r.spec.Tools)); err != nil {
		return err
	}
	l.Paths, r.Paths = l.Paths.Inside(), r.Paths.Inside()
	s := &supervisor.Supervisor{Logs: r.Paths.Logs(), Command: r.command, Now: r.Now}
	publisher := &publisher{api: r.api, now: r.Now}
	reload := func() error {
		current, err := l.describe()
		if err != nil {
			return err
		}
		units, err := current.units()
		if err != nil {
			return err
		}
		s.Ensure(ctx, units)
		publisher.ensure(ctx, current.spec.Published)
		return nil
	}
	if err := reload(); err != nil {
		return err
	}
	go supervisor.CapLogs(ctx, r.Paths.Logs())
	return supervisor.Serve(ctx, r.Paths.ControlSocket(), supervisor.Handlers{
		Report: func() supervisor.Report {
			return supervisor.Report{
				PID: os.Getpid(), Since: started, Fingerprint: fingerprint, Units: s.Statuses(), Published: publisher.list(),
			}
		},
		Reload: reload,
	})
}

// arrangeMounts prepares the mount namespace that the processes share. None of
// it shows on the machine.
func arrangeMounts(paths layout.Paths, tools string) error {
	inside := paths.Inside().State
	if err := os.MkdirAll(toolsInside(paths), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	for source, target := range map[string]string{paths.State: inside, tools: toolsInside(paths)} {
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", source, err)
		}
	}
	// kubelet and CNI leave files here, which nobody could tell from others' later.
	for _, folder := range []string{"/var/lib", "/var/log"} {
		if err := unix.Mount("streamplane", folder, "tmpfs", 0, "mode=755,size=256m"); err != nil {
			return fmt.Errorf("cover %s: %w", folder, err)
		}
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts with pods: %w", err)
	}
	return nil
}

// toolsInside is the folder of the programs as the processes see it.
func toolsInside(paths layout.Paths) string { return filepath.Join(paths.Run(), "tools") }

func (r running) components() (component.Cluster, error) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		return component.Cluster{}, fmt.Errorf("find runc: %w", err)
	}
	return component.Cluster{
		Paths: r.Paths.Inside(), Plan: r.plan,
		Bin: filepath.Join(toolsInside(r.Paths), filepath.Base(r.spec.Tools)), Runc: runc,
	}, nil
}

// fingerprint identifies what this version of ours would run.
func (r running) fingerprint(programs string) (string, error) {
	cluster, err := r.components()
	if err != nil {
		return "", err
	}
	return cluster.Fingerprint(programs)
}

// units lists every process of the cluster.
func (r running) units() ([]supervisor.Unit, error) {
	cluster, err := r.components()
	if err != nil {
		return nil, err
	}
	probes := component.Probes{API: r.api.Ready, HTTP: probeHTTP, Socket: probeSocket}
	units := cluster.ControlPlane(probes)
	for number := 1; number <= r.spec.Nodes; number++ {
		units = append(units, cluster.Node(number, probes)...)
	}
	return units, nil
}

// command starts a unit through this program, which first moves to where the
// unit belongs.
func (r running) command(u supervisor.Unit) *exec.Cmd {
	args := append([]string{"enter", u.Namespace, u.Cgroup}, u.Argv...)
	cmd := exec.Command(thisProgram, args...) //nolint:noctx // Ended by its control group.
	cmd.Dir = "/"
	cmd.Env = []string{
		"PATH=" + filepath.Join(toolsInside(r.Paths), filepath.Base(r.spec.Tools)) + ":" + systemPath,
		"HOME=" + r.Paths.State, machine.Mark + "=" + r.Paths.Name,
	}
	// Signals to the supervisor are not meant for its processes.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// Enter moves this process into a network namespace and a control group and
// becomes the program.
func Enter(namespace, group string, argv []string) error {
	groups, err := cgroup.Detect()
	if err != nil {
		return err
	}
	if err := errors.Join(groups.Create(group), groups.Join(group)); err != nil {
		return err
	}
	runtime.LockOSThread() // the thread that enters is the one that becomes the program
	if err := network.Enter(namespace); err != nil {
		return err
	}
	return fmt.Errorf("run %s: %w", argv[0], syscall.Exec(argv[0], argv, os.Environ()))
}

func probeHTTP(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return fmt.Errorf("ask %s: %w", url, err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("ask %s: %w", url, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("ask %s: %s", url, response.Status)
		}
		return nil
	}
}

func probeSocket(path string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		return conn.Close()
	}
}
