package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/kube"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/machine"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

const (
	bootPeriod     = 200 * time.Millisecond
	metricsAPI     = "/apis/metrics.k8s.io/v1beta1"
	hopeless       = 8
	logTail        = 15
	systemPath     = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	thisProgram    = "/proc/self/exe"
	supervisorName = "supervisor"
)

// boot starts the supervisor and waits until the cluster is healthy.
func (r running) boot(ctx context.Context) error {
	log, err := os.OpenFile(r.Paths.Log(supervisorName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = log.Close() }()
	// It outlives this program, in a session and a mount namespace of its own:
	// whatever is mounted there goes when its last process ends.
	cmd := exec.Command(thisProgram, "--name", r.Paths.Name, "supervise", r.Paths.State) //nolint:noctx // It outlives every context.
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{"PATH=" + r.Tools + ":" + systemPath, "HOME=" + r.Paths.State, machine.Mark + "=" + r.Paths.Name}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Unshareflags: syscall.CLONE_NEWNS}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the supervisor: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		err := cmd.Wait()
		cancel(fmt.Errorf("the supervisor ended: %w\n%s", errors.Join(err, errors.New("see its log")), r.tail(supervisorName)))
	}()
	return r.waitHealthy(ctx)
}

// waitHealthy waits until everything works, and says what came when.
func (r running) waitHealthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.Patience, fmt.Errorf("not within %s", r.Patience))
	defer cancel()
	started := r.Now()
	var said []string
	for {
		missing, err := r.missing(ctx)
		for _, step := range milestones(missing, said) {
			if r.Now().Sub(started) > time.Second {
				r.say("%s after %s", step, r.Now().Sub(started).Round(100*time.Millisecond))
			}
			said = append(said, step)
		}
		if len(missing) == 0 && err == nil {
			return nil
		}
		if err != nil {
			return r.explain(err, missing)
		}
		select {
		case <-ctx.Done():
			return r.explain(context.Cause(ctx), missing)
		case <-time.After(bootPeriod):
		}
	}
}

// A gap is something that does not work yet.
type gap struct {
	what      string
	component string
	problem   string
}

// missing lists what does not work yet; an error means that it never will.
func (r running) missing(ctx context.Context) ([]gap, error) {
	report, err := r.control().Report(ctx)
	if err != nil {
		return []gap{{what: "supervisor", component: supervisorName, problem: err.Error()}}, nil //nolint:nilerr // It is about to start.
	}
	gaps := r.missingNodes(ctx, report.Units)
	for _, unit := range report.Units {
		if unit.Healthy() {
			continue
		}
		gaps = append(gaps, gap{what: "processes", component: unit.Name, problem: unit.Problem})
		if unit.Restarts >= hopeless && unit.State == supervisor.Restarting {
			return gaps, fmt.Errorf("%s does not keep running", unit.Name)
		}
	}
	return gaps, nil
}

// missingNodes lists what the API server says is not there, or that it is not there itself.
func (r running) missingNodes(ctx context.Context, units []supervisor.Status) []gap {
	nodes, err := r.api.Nodes(ctx)
	if err != nil {
		return []gap{{what: "API server", component: "kube-apiserver", problem: err.Error()}}
	}
	var gaps []gap
	for number := 1; number <= r.spec.Nodes; number++ {
		name := layout.NodeName(number)
		// What an earlier kubelet wrote says nothing.
		since := runningSince(units, "kubelet-"+name).Truncate(time.Second)
		if !slices.ContainsFunc(nodes, func(n kube.Node) bool { return n.Name == name && n.Ready && !n.Heartbeat.Before(since) }) {
			gaps = append(gaps, gap{what: name, component: "kubelet-" + name, problem: "the node is not Ready"})
		}
	}
	// Not the state of the APIService: what an earlier run wrote says nothing.
	if err := r.api.Get(ctx, metricsAPI, nil); err != nil {
		gaps = append(gaps, gap{what: "metrics", component: "metrics-server", problem: err.Error()})
	}
	return gaps
}

func runningSince(units []supervisor.Status, name string) time.Time {
	for _, unit := range units {
		if unit.Name == name {
			return unit.Since
		}
	}
	return time.Time{}
}

// milestones lists what works now and was not said before.
func milestones(missing []gap, said []string) []string {
	var fresh []string
	for what, text := range map[string]string{"API server": "API server is ready", "node-1": "first node is ready", "metrics": "metrics API is ready"} {
		waiting := slices.ContainsFunc(missing, func(g gap) bool {
			return g.what == what || g.what == "supervisor" || g.what == "API server"
		})
		if !waiting && !slices.Contains(said, text) {
			fresh = append(fresh, text)
		}
	}
	slices.Sort(fresh)
	return fresh
}

// explain adds to an error what is missing and what its log says last.
func (r running) explain(err error, missing []gap) error {
	var text strings.Builder
	for _, g := range missing {
		_, _ = fmt.Fprintf(&text, "\n%s: %s: %s", g.what, g.component, g.problem)
	}
	if len(missing) > 0 {
		first := missing[0].component
		_, _ = fmt.Fprintf(&text, "\nlast lines of %s:\n%s", r.Paths.Log(first), r.tail(first))
	}
	return fmt.Errorf("cluster %s is not healthy: %w%s", r.Paths.Name, err, text.String())
}

// tail is the end of a component's log.
func (l Local) tail(component string) string {
	content, err := os.ReadFile(l.Paths.Log(component))
	if err != nil {
		return "(no log)"
	}
	lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-logTail):], "\n")
}
