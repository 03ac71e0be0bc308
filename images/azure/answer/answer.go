// Package answer writes the emulated services' JSON answers.
package answer

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// JSON answers with a status and a body that is known in full before the first
// byte leaves, so that Content-Length is set as the real services set it.
func JSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		// The services' answers are structs of strings and numbers: a failure
		// here is a mistake in this program, and must not look like an answer.
		http.Error(w, "answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	// A client that has gone away is seen in the log by the bytes it took.
	_, _ = w.Write(text)
}
