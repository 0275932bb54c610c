package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// buildAll makes every image and the values file that names them.
func buildAll(ctx context.Context, b *builder, push bool) error { //nolint:revive // a switch of the command line
	if err := b.prepare(ctx, preparations(b.cache, components()...)); err != nil {
		return err
	}
	references, err := b.build(ctx, components())
	if err != nil {
		return err
	}
	if push {
		if err := b.push(ctx, references); err != nil {
			return err
		}
	}
	return writeValues(filepath.Join(b.out, "values.yaml"), b.version, references)
}

// build compiles and packs components; the result maps a component to its reference.
func (b *builder) build(ctx context.Context, all []component) (map[string]string, error) {
	packages := make([]string, 0, len(all))
	for _, c := range all {
		packages = append(packages, c.pkg)
	}
	dir, err := b.compile(ctx, "bin", b.version, packages...)
	if err != nil {
		return nil, err
	}
	references := map[string]string{}
	for _, c := range all {
		if references[c.name], err = b.pack(c, filepath.Join(dir, c.name), b.version, c.name); err != nil {
			return nil, fmt.Errorf("image %s: %w", c.name, err)
		}
	}
	return references, nil
}

// buildVariant makes a second image of one component that differs in its version only.
func buildVariant(ctx context.Context, b *builder, componentName, variant string, stdout io.Writer) error {
	if !regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`).MatchString(variant) {
		return fmt.Errorf("variant %q: want lower-case letters, digits and dashes", variant)
	}
	all := slices.Concat(components(), testComponents())
	i := slices.IndexFunc(all, func(c component) bool { return c.name == componentName })
	if i < 0 {
		return fmt.Errorf("no component %q", componentName)
	}
	c := all[i]
	if err := b.prepare(ctx, preparations(b.cache, c)); err != nil {
		return err
	}
	version, program := b.version+"-"+variant, ""
	if c.pkg != "" {
		dir, err := b.compile(ctx, "bin-"+variant, version, c.pkg)
		if err != nil {
			return err
		}
		program = filepath.Join(dir, c.name)
	}
	reference, err := b.pack(c, program, version, c.name+"-"+variant)
	if err != nil {
		return fmt.Errorf("image %s: %w", c.name, err)
	}
	fmt.Fprintln(stdout, reference)
	return nil
}

// push uploads the images with the credentials that other tools use (~/.docker/config.json).
func (b *builder) push(ctx context.Context, references map[string]string) error {
	for component, reference := range references {
		tag, err := name.NewTag(reference)
		if err != nil {
			return fmt.Errorf("push %s: %w", component, err)
		}
		img, err := tarball.ImageFromPath(filepath.Join(b.out, component+".tar"), &tag)
		if err != nil {
			return fmt.Errorf("push %s: %w", component, err)
		}
		if err := remote.Write(tag, img, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return fmt.Errorf("push %s: %w", component, err)
		}
		b.log.printf("%s: pushed, %s", component, reference)
	}
	return nil
}
