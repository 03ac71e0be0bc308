// Package config reads a Vector configuration as far as the stand-in plays Vector: environment interpolation on the raw
// text, then YAML read strictly, then the graph of components checked.
//
//	cfg, err := config.Load("/etc/vector/vector.yaml", config.Environ(os.Environ(), hostname), version.Interpolates(optIn))
//
// It opens nothing but the file, and knows only the components and options the stand-in has. What Vector has and the
// stand-in lacks is an error that says so: a configuration must never mean less here than it would there. No message
// ever holds a value of the configuration, because tokens are among them.
package config
