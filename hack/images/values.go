package main

import (
	"fmt"
	"maps"
	"os"

	"sigs.k8s.io/yaml"
)

// values is what the Helm chart takes from a build.
type values struct {
	Operator operatorValues `json:"operator"`
	Release  releaseValues  `json:"release"`
}

type operatorValues struct {
	Image string `json:"image"`
}

type releaseValues struct {
	Name   string            `json:"name"`
	Images map[string]string `json:"images"`
}

// writeValues writes the Helm values that run exactly these images.
func writeValues(file, version string, references map[string]string) error {
	services := maps.Clone(references)
	delete(services, operatorName)
	content, err := yaml.Marshal(values{
		Operator: operatorValues{Image: references[operatorName]},
		Release:  releaseValues{Name: version, Images: services},
	})
	if err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	return writeFile(file, append([]byte("# Written by \"make images\": Helm values that run the images of this checkout.\n"), content...))
}

// chartVersion reads the version that everything of one checkout carries.
func chartVersion(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read version: %w", err)
	}
	var chart struct {
		AppVersion string `json:"appVersion"`
	}
	if err := yaml.Unmarshal(content, &chart); err != nil {
		return "", fmt.Errorf("read version of %s: %w", file, err)
	}
	if chart.AppVersion == "" {
		return "", fmt.Errorf("%s has no appVersion", file)
	}
	return chart.AppVersion, nil
}
