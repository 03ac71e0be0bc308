// Package images makes the images that machines run from, and only those that
// do not exist yet.
//
//	debian    a plain Debian: pulled, or bootstrapped from packages where no registry answers
//	base      debian + systemd, dbus, cloud-init
//	azure     the cloud
//	postgres  debian + PostgreSQL, for tests of the store
//	worker    base + Vector + the worker's twin, the boot logger and the collector; the control boot's image
//
// Each image is tagged with a hash of all that goes in, so "is it up to date" is
// one question to the engine, and the same input gives the same tag:
//
//	b := images.Builder{Engine: engine, Root: root, Cache: cache}
//	base, err := b.Base(ctx, "trixie")
//	vector, err := b.Vector(ctx, images.Vector{}) // the stand-in
//	worker, err := b.Worker(ctx, base, azure, vector)
//
// What is baked on top of a worker image, the subject, is not its business.
package images
