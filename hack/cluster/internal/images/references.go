package images

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// references reads the names of the images in an archive, in the format of
// Docker or of OCI.
func references(archive string) ([]string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return nil, fmt.Errorf("open image archive: %w", err)
	}
	defer func() { _ = file.Close() }()
	var names []string
	for files := tar.NewReader(file); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read image archive %s: %w", archive, err)
		}
		var found []string
		switch header.Name {
		case "manifest.json":
			found, err = dockerNames(files)
		case "index.json":
			found, err = ociNames(files)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s of image archive %s: %w", header.Name, archive, err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("image archive %s names no image", archive)
	}
	return names, nil
}

func dockerNames(content io.Reader) ([]string, error) {
	var images []struct{ RepoTags []string }
	if err := json.NewDecoder(content).Decode(&images); err != nil {
		return nil, err
	}
	var names []string
	for _, image := range images {
		names = append(names, image.RepoTags...)
	}
	return names, nil
}

func ociNames(content io.Reader) ([]string, error) {
	var index struct{ Manifests []descriptor }
	if err := json.NewDecoder(content).Decode(&index); err != nil {
		return nil, err
	}
	var names []string
	for _, manifest := range index.Manifests {
		if name := manifest.Annotations["io.containerd.image.name"]; name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}
