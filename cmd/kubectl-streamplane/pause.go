package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func pauseCommand() *cobra.Command {
	return pausingCommand("pause SERVICE...", "Leave what runs services as it is: changes wait",
		"Set paused for services: in spec.services of their platform, or in a team's own Microservice. Changes wait, and nothing\n"+
			"is repaired; pods, autoscalers and traffic go on. The field belongs to the field manager "+fieldManager+".",
		func(ctx context.Context, e editor, f found) (string, error) {
			where, err := e.put(ctx, f, pausedField)
			return fmt.Sprintf("%s: true; changes of %s wait for kubectl streamplane resume %s", where, f.name, f.name), err
		})
}

func resumeCommand() *cobra.Command {
	return pausingCommand("resume SERVICE...", "Apply changes to services again",
		"Take back what pause set. What others set, in a file for example, stays and is named.",
		func(ctx context.Context, e editor, f found) (string, error) {
			where, err := e.drop(ctx, f, pausedField)
			return where + ": removed; changes of " + f.name + " are applied", err
		})
}

func pausingCommand(use, short, long string, do func(context.Context, editor, found) (string, error)) *cobra.Command {
	var platform string
	var force bool
	var to *connection
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, services []string) error {
			cluster, namespace, err := to.open()
			if err != nil {
				return err
			}
			for _, name := range services {
				// Read again: the platform that was just written is a newer one.
				f, err := oneOf(cmd.Context(), cluster, client.ObjectKey{Namespace: namespace, Name: platform}, name)
				if err != nil {
					return err
				}
				said, err := do(cmd.Context(), editor{cluster, force}, f)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), said); err != nil {
					return fmt.Errorf("print: %w", err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&platform, "platform", "p", "", "`name` of the platform (default: the only one of the namespace)")
	cmd.Flags().BoolVar(&force, "force-conflicts", false, "set the field also when others set it")
	to = newConnection(cmd.Flags())
	return cmd
}
