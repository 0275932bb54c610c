package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/lifecycle"
)

// superviseCommand is what `up` leaves running.
func superviseCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "supervise STATE",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := cmd.Flags().GetString("name")
			if err != nil {
				return fmt.Errorf("read flag: %w", err)
			}
			return lifecycle.Local{
				Paths: layout.Paths{Name: name, State: args[0]},
				Out:   os.Stdout,
				Now:   time.Now, //nolint:forbidigo // This is the wiring.
			}.Supervise(cmd.Context())
		},
	}
}

// enterCommand turns into a program of the cluster, in its own place.
func enterCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "enter NAMESPACE CGROUP PROGRAM [ARGUMENT...]",
		Hidden:             true,
		DisableFlagParsing: true,
		Args:               cobra.MinimumNArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			return lifecycle.Enter(args[0], args[1], args[2:])
		},
	}
}
