package directory_test

import (
	"errors"
	"testing"

	"github.com/rollcall-id/rollcall/directory"
	"github.com/rollcall-id/rollcall/models"
	"github.com/rollcall-id/rollcall/store"
)

func TestAPasswordIsResetOnlyIfThatIsAllowed(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		dir := h.directory(t, "staff")
		u := h.user(t, dir, "ada", "difference")
		login := models.Actor{Kind: models.ActorSystem, Name: "test", Writer: models.BySync}
		reset := func(by models.Actor, secret models.Secret, allowed func(*store.Tx) error) error {
			return h.ResetPassword(t.Context(), by, dir, u, secret, allowed)
		}
		checked := func(secret models.Secret) error {
			_, err := h.CheckPassword(t.Context(), dir, u, secret)
			return err
		}
		never := func(*store.Tx) error { t.Error("it was asked whether that is allowed"); return nil }
		wantCode(t, "a password that is refused", models.InvalidCredential, reset(operator, "", never))
		wantCode(t, "a writer who may not", models.PermissionDenied, reset(login, "engine", never))
		wantCode(t, "the same, asked before", models.PermissionDenied, directory.MayResetPassword(dir, login))
		wantCode(t, "who may, asked before", "", directory.MayResetPassword(dir, operator))
		no := errors.New("no")
		if err := reset(operator, "engine", func(*store.Tx) error { return no }); !errors.Is(err, no) {
			t.Errorf("not allowed: %v", err)
		}
		wantCode(t, "the old password", "", checked("difference"))
		wantCode(t, "allowed", "", reset(operator, "engine", func(*store.Tx) error { return nil }))
		wantCode(t, "the new password", "", checked("engine"))
		wantCode(t, "the old password, later", models.InvalidPassword, checked("difference"))

		// The row counts, not the name: another may have it by now.
		h.must(t, func(e *directory.Edit) error { _, err := e.RenameUser(dir, "ada", "countess"); return err })
		other := h.user(t, dir, "ada", "difference")
		wantCode(t, "after a rename", "", reset(operator, "byron", func(*store.Tx) error { return nil }))
		wantCode(t, "the row's password", "", checked("byron"))
		_, err := h.CheckPassword(t.Context(), dir, other, "difference")
		wantCode(t, "who has the name now", "", err)
	})
}
