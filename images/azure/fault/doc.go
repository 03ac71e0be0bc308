// Package fault says what goes wrong in the emulated cloud, and when. It is data:
// a scenario holds it, the cloud obeys it, and the same faults give the same
// answers in every boot.
//
//	faults := []fault.Fault{{Service: "keyvault", Kind: fault.Status, Status: 503, Requests: "1-3"}}
//	s := fault.NewSchedule(faults, sinceReady)
//	f, ok := s.Next(fault.Target{Service: "keyvault", Op: "secrets.get"})
//
// How a fault is carried out is the business of whoever owns its layer: the
// resolver, the listeners, the handshake, the front, the services.
package fault
