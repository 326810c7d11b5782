"""What the product printed and wrote before its inside was rebuilt: see README.md."""
