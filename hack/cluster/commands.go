package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/streamplane/streamplane/hack/cluster/internal/tools"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "cluster",
		Short:         "Run a real Kubernetes on this machine",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(toolsCommand())
	return root
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
