package keyvault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
)

// backedUp is what a backup holds: all versions of a secret (Backup Secret).
type backedUp struct {
	Name     string   `json:"name"`
	Versions []stored `json:"versions"`
}

// blob is a backup as the interface has it, base64url without padding.
type blob struct {
	Value *string `json:"value"`
}

// newSeal makes backups opaque: nobody but the service that made one can read or
// make one. The real one's can be restored elsewhere in its geography.
func newSeal() cipher.AEAD {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)                       // crypto/rand: never returns an error
	block, _ := aes.NewCipher(secret)              // crypto/aes: 32 bytes are a key
	seal, _ := cipher.NewGCMWithRandomNonce(block) // crypto/cipher: of an AES block only
	return seal
}

func (s *Service) backup(_ *call, of secret) (any, *refusal) {
	// Strings, numbers and maps of strings always encode.
	text, _ := json.Marshal(backedUp{Name: of.name, Versions: of.versions})
	sealed := base64.RawURLEncoding.EncodeToString(s.seal.Seal(nil, nil, text, nil))
	return blob{Value: &sealed}, nil
}

func (s *Service) restore(c *call) (any, *refusal) {
	var b blob
	if refused := decode(c.body, &b); refused != nil {
		return nil, refused
	}
	if b.Value == nil {
		return nil, badParameter("Property value is required")
	}
	malformed := badParameter("Backup blob is malformed, or of another vault")
	sealed, err := base64.RawURLEncoding.DecodeString(*b.Value)
	if err != nil {
		return nil, malformed
	}
	text, err := s.seal.Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, malformed
	}
	var backup backedUp
	if json.Unmarshal(text, &backup) != nil {
		return nil, malformed
	}
	of := secret{name: backup.Name, versions: backup.Versions}
	if refused := s.store.restore(of); refused != nil {
		return nil, refused
	}
	c.rec.Secret, c.rec.Version = of.name, of.current().ID
	return s.versioned(of.name, of.current()), nil
}
