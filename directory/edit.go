package directory

import (
	"context"

	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

// An Edit is one transaction of changes in directories, on behalf of one actor: all of it is
// kept, or nothing. Each method asks the directory's kind whether the actor may.
type Edit struct {
	ctx context.Context
	by  models.Actor
	tx  *store.Tx
}

// Edit runs do in one transaction. Where another transaction is in the way, do is run again:
// it must have no other effects.
func (s *Service) Edit(ctx context.Context, by models.Actor, do func(e *Edit) error) error {
	return s.store.Write(ctx, by, func(tx *store.Tx) error { return do(&Edit{ctx: ctx, by: by, tx: tx}) })
}

// Reads gives the transaction's own reads.
func (e *Edit) Reads() *store.Reads { return &e.tx.Reads }
