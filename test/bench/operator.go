package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// patience is how long anything may take on a busy machine.
const patience = 15 * time.Minute

// operator is the running program.
type operator struct {
	command *exec.Cmd
	log     *os.File
	metrics string // URL
}

// startOperator runs the program as a cluster would, but one replica and only the namespaces of the bench.
func startOperator(ctx context.Context, p *plane, s settings) (*operator, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(p.folder, "operator.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	command := exec.CommandContext(ctx, s.operator, "--kubeconfig="+p.kubeconfig, "--releases="+s.releases,
		"--watch-namespaces="+modelNamespace+","+benchNamespace,
		"--metrics-secure=false", "--metrics-bind-address="+address, "--health-probe-bind-address=0")
	command.Stdout, command.Stderr = log, log
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	if err := command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start operator: %w", err), log.Close())
	}
	return &operator{command: command, log: log, metrics: "http://" + address + "/metrics"}, nil
}

func (o *operator) stop() error {
	defer o.log.Close()
	if err := o.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop operator: %w", err)
	}
	if err := o.command.Wait(); err != nil {
		return fmt.Errorf("operator: %w", err)
	}
	return nil
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// metric is the sum of all series of a name, those with the label value if one is given.
type metrics map[string]*dto.MetricFamily

func (m metrics) sum(name, labelValue string) float64 {
	total := 0.0
	for _, series := range m[name].GetMetric() {
		matches := labelValue == ""
		for _, label := range series.GetLabel() {
			matches = matches || label.GetValue() == labelValue
		}
		if matches {
			total += series.GetGauge().GetValue() + series.GetCounter().GetValue()
		}
	}
	return total
}

func (o *operator) scrape(ctx context.Context) (metrics, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.metrics, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return all, nil
}

// settled waits until the operator has looked at as many platforms and microservices, and has nothing left to do.
func (o *operator) settled(ctx context.Context, platforms, microservices int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ticker := time.NewTicker(glance)
	defer ticker.Stop()
	for {
		m, err := o.scrape(ctx)
		const done, waiting, busy = "controller_runtime_reconcile_total", "workqueue_depth", "controller_runtime_active_workers"
		if err == nil && m.sum(done, "streamingplatform") >= float64(platforms) && m.sum(done, "microservice") >= float64(microservices) &&
			m.sum(waiting, "") == 0 && m.sum(busy, "") == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("wait until the operator has nothing to do: %w", ctx.Err()), err)
		case <-ticker.C:
		}
	}
}

// usage is memory in bytes: what is reachable, and what the process has.
type usage struct{ live, resident float64 }

// usage waits for two more collections of garbage, so that what is counted is in use. Scrapes make the garbage.
func (o *operator) usage(ctx context.Context) (usage, error) {
	const cycles = "go_gc_cycles_total_gc_cycles_total"
	first, err := o.scrape(ctx)
	if err != nil {
		return usage{}, err
	}
	for {
		m, err := o.scrape(ctx)
		if err != nil {
			return usage{}, err
		}
		if m.sum(cycles, "") >= first.sum(cycles, "")+2 {
			return usage{live: m.sum("go_gc_heap_live_bytes", ""), resident: m.sum("process_resident_memory_bytes", "")}, nil
		}
	}
}
