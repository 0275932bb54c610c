package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/component"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

// Status prints how the cluster is; it fails unless everything works.
func (l Local) Status(ctx context.Context) error {
	r, err := l.open(ctx)
	if err != nil {
		return err
	}
	report, err := r.control().Report(ctx)
	if err != nil {
		return err
	}
	gaps, err := r.missing(ctx)
	if err != nil {
		return err
	}
	r.say("cluster %s: %s, kubeconfig %s", r.Paths.Name, component.APIServer(r.plan), r.Paths.Kubeconfig())
	table := tabwriter.NewWriter(r.Out, 0, 0, 2, ' ', 0)
	r.nodeRows(ctx, table)
	own := supervisor.Status{Name: supervisorName, State: supervisor.Running, PID: report.PID, Since: report.Since}
	r.unitRows(table, append([]supervisor.Status{own}, report.Units...))
	for i, p := range report.Published {
		if i == 0 {
			_, _ = fmt.Fprintln(table, "\nPUBLISHED\tSERVICE\tPROBLEM")
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", p.Listen, p.Target, p.Problem)
		if p.Problem != "" {
			gaps = append(gaps, gap{component: p.Target, problem: p.Problem})
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print status: %w", err)
	}
	if len(gaps) > 0 {
		return fmt.Errorf("cluster %s is not healthy: %s: %s", r.Paths.Name, gaps[0].component, gaps[0].problem)
	}
	return nil
}

func (r running) nodeRows(ctx context.Context, table io.Writer) {
	nodes, err := r.api.Nodes(ctx)
	if err != nil {
		_, _ = fmt.Fprintf(table, "nodes: %s\n", err)
		return
	}
	_, _ = fmt.Fprintln(table, "\nNODE\tZONE\tREADY\tLINK")
	for _, n := range nodes {
		link := "up"
		if r.network().CutOff(n.Name) {
			link = "cut off"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%t\t%s\n", n.Name, n.Zone, n.Ready, link)
	}
}

func (r running) unitRows(table io.Writer, units []supervisor.Status) {
	_, _ = fmt.Fprintln(table, "\nCOMPONENT\tSTATE\tPID\tFOR\tRESTARTS\tPROBLEM")
	for _, u := range units {
		pid := ""
		if u.PID > 0 {
			pid = fmt.Sprint(u.PID)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n",
			u.Name, u.State, pid, r.Now().Sub(u.Since).Round(time.Second), u.Restarts, u.Problem)
	}
}

// Logs prints the log of a component.
func (l Local) Logs(name string) error {
	entry, found, err := l.registry().Find(l.Paths.Name)
	if err != nil {
		return err
	}
	if found {
		l.Paths = entry.Paths()
	}
	if strings.ContainsRune(name, filepath.Separator) {
		return fmt.Errorf("%q is not the name of a component", name)
	}
	file, err := os.Open(l.Paths.Log(name))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("no log of %q; there are logs of: %s", name, strings.Join(l.logNames(), ", "))
	}
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := io.Copy(l.Out, file); err != nil {
		return fmt.Errorf("print log: %w", err)
	}
	return nil
}

func (l Local) logNames() []string {
	files, _ := filepath.Glob(l.Paths.Log("*"))
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".log"))
	}
	slices.Sort(names)
	return names
}

// Partition cuts a node off from everything else.
func (l Local) Partition(ctx context.Context, node string) error {
	r, err := l.openNode(ctx, node)
	if err != nil {
		return err
	}
	if err := r.network().Partition(node); err != nil {
		return err
	}
	r.say("%s is cut off; join it again with: cluster heal %s", node, node)
	return nil
}

// Heal joins a node again.
func (l Local) Heal(ctx context.Context, node string) error {
	r, err := l.openNode(ctx, node)
	if err != nil {
		return err
	}
	if err := r.network().Heal(node); err != nil {
		return err
	}
	r.say("%s is joined again", node)
	return nil
}

func (l Local) openNode(ctx context.Context, node string) (running, error) {
	r, err := l.open(ctx)
	if err != nil {
		return running{}, err
	}
	_, err = r.nodeNumber(node)
	return r, err
}
