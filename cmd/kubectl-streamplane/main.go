// Command kubectl-streamplane looks into platforms before and after they are
// applied. On the PATH it is the plugin "kubectl streamplane".
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // not every desktop has time zones

	"github.com/spf13/cobra"
)

// version is set at link time.
var version = "dev"

// exitChanges is the exit code of "plan --exit-code" when something would change.
const exitChanges = 2

// errChanges ends a plan whose caller wants to know whether it is empty.
var errChanges = errors.New("something would change")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := newCommand().ExecuteContext(ctx)
	stop()
	switch {
	case errors.Is(err, errChanges):
		os.Exit(exitChanges)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func newCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "kubectl-streamplane",
		Short:         "Look into platforms, see what a change would do, and operate their services",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl streamplane"},
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(renderCommand(), planCommand(), statusCommand(), pauseCommand(), resumeCommand(), ejectCommand(), adoptCommand())
	return root
}
