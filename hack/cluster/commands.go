package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/lifecycle"
	"github.com/streamplane/streamplane/hack/cluster/internal/machine"
	"github.com/streamplane/streamplane/hack/cluster/internal/tools"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "cluster",
		Short:         "Run a real Kubernetes on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("name", "demo", "name of the cluster")
	root.AddCommand(
		upCommand(), downCommand(), statusCommand(), loadCommand(), logsCommand(),
		nodeCommand("partition NODE", "Cut a node off from everything else", lifecycle.Local.Partition),
		nodeCommand("heal NODE", "Join a node that was cut off", lifecycle.Local.Heal),
		publishCommand(), toolsCommand(), superviseCommand(), enterCommand(),
	)
	return root
}

// local is the cluster that the command is about.
func local(cmd *cobra.Command) (lifecycle.Local, checkout, error) {
	name, err := cmd.Flags().GetString("name")
	if err != nil {
		return lifecycle.Local{}, checkout{}, fmt.Errorf("read flag: %w", err)
	}
	if err := layout.CheckName(name); err != nil {
		return lifecycle.Local{}, checkout{}, err
	}
	home, err := findCheckout()
	if err != nil {
		return lifecycle.Local{}, checkout{}, err
	}
	return lifecycle.Local{
		Paths: layout.Paths{Name: name, State: filepath.Join(home.cache, "clusters", name)},
		Tools: home.builder(cmd.ErrOrStderr()).Bin(),
		Out:   cmd.OutOrStdout(),
		Now:   time.Now, //nolint:forbidigo // This is the wiring.
	}, home, nil
}

func upCommand() *cobra.Command {
	var nodes int
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Start the cluster, or bring a running one to what is asked for",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return up(cmd, nodes, patience)
		},
	}
	cmd.Flags().IntVar(&nodes, "nodes", 0, "number of nodes, each in a zone of its own (default: what it has, or 1)")
	cmd.Flags().DurationVar(&patience, "timeout", 5*time.Minute, "how long to wait until all is well")
	return cmd
}

func up(cmd *cobra.Command, nodes int, patience time.Duration) error {
	started := time.Now() //nolint:forbidigo // This is the wiring.
	// The machine first: nobody should wait for a build that is of no use.
	if err := machine.Check(); err != nil {
		return err
	}
	cluster, home, err := local(cmd)
	if err != nil {
		return err
	}
	cluster.Patience = patience
	if err := cluster.Requirements(cmd.Context()); err != nil {
		return err
	}
	if err := home.builder(cmd.ErrOrStderr()).Build(cmd.Context(), tools.All()); err != nil {
		return err
	}
	if err := home.linkClients(); err != nil {
		return err
	}
	if err := cluster.Up(cmd.Context(), nodes); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "cluster %s is up (%s): export KUBECONFIG=%s\n",
		cluster.Paths.Name, time.Since(started).Round(100*time.Millisecond), cluster.Paths.Kubeconfig())
	return err
}

func downCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Remove the cluster and everything it made on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, _, err := local(cmd)
			if err != nil {
				return err
			}
			return cluster.Down()
		},
	}
}

func statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show nodes, components and published Services; fails unless all is well",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cluster, _, err := local(cmd)
			if err != nil {
				return err
			}
			return cluster.Status(cmd.Context())
		},
	}
}

func loadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "load FILE.tar...",
		Short: "Put image archives onto every node",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, _, err := local(cmd)
			if err != nil {
				return err
			}
			return cluster.Load(cmd.Context(), args)
		},
	}
}

func logsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "logs COMPONENT",
		Short: "Print the log of a component, named as in status",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, _, err := local(cmd)
			if err != nil {
				return err
			}
			return cluster.Logs(args[0])
		},
	}
}

func nodeCommand(use, short string, run func(lifecycle.Local, context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, _, err := local(cmd)
			if err != nil {
				return err
			}
			return run(cluster, cmd.Context(), args[0])
		},
	}
}

func publishCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:     "publish NAMESPACE/SERVICE:PORT",
		Short:   "Let a Service listen on this machine for as long as the cluster runs",
		Example: "  cluster publish tv/acme-gateway:80 --listen 127.0.0.1:8080",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cluster, _, err := local(cmd)
			if err != nil {
				return err
			}
			publication, err := lifecycle.ParsePublication(args[0], listen)
			if err != nil {
				return err
			}
			return cluster.Publish(cmd.Context(), publication)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address on this machine")
	return cmd
}

func toolsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tools [TOOL...]",
		Short: "Build the named tools, or all, and print the folder that holds them",
		Long: "Build the named tools (etcd, kube-apiserver, kubectl, helm ...), or all of them, and print the folder that\n" +
			"holds them. The folder can be used as KUBEBUILDER_ASSETS.",
		RunE: func(cmd *cobra.Command, args []string) error {
			home, err := findCheckout()
			if err != nil {
				return err
			}
			wanted, err := tools.Named(args)
			if err != nil {
				return err
			}
			builder := home.builder(cmd.ErrOrStderr())
			if err := builder.Build(cmd.Context(), wanted); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), builder.Bin())
			return err
		},
	}
}
